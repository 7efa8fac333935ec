"""A host that is told what differs from a release of its own reads no row about what they share."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castoff.releaser.agent.layout import Layout
from castoff.releaser.agent.manifest import Manifest
from castoff.releaser.agent.parameters import Parameters
from castoff.releaser.agent.raw_table import changed, divided
from castoff.releaser.agent.same_layer import find_same_layer
from castoff.store.table_delta import table_delta
from support.agent_client import AgentClient, AgentFailure, agent
from support.archives import Artifact, Content, make_artifact
from support.layered import layer_of, whole, write_in_place
from support.patched import make_patch

LIB: dict[str, Content] = {
    "lib/größe/__init__.py": b"import os\n" * 90,
    "lib/pkg/data/one.bin": os.urandom(90_000),
    "lib/pkg/run.sh": (b"#!/bin/sh\n", True),
    "lib/single.py": b"x = 1\n",
}


def version(name: str, **changes: Content) -> Artifact:
    """Return a release of these dependencies, with changes by their names in `pkg`."""
    lib = {**LIB, **{f"lib/pkg/{key}": content for key, content in changes.items()}}
    # Before and after `lib` in the table, and between it and what lies in it in the tree's digest.
    more = {"app/main.py": name.encode() * 900, "lib-1": name.encode(), "static/a.css": b"a{}"}
    return make_artifact(name, {**lib, **more}, directories=["lib/empty"], raw_member=16_384)


ONE, TWO, THREE, OTHER = version("1.0"), version("2.0"), version("3.0"), version("4.0", new=b"1")


def short_cut(root: Path, request: dict[str, Any]) -> bool:
    """Whether the request can be understood without the rows about what is shared."""
    manifest = Manifest(request["manifest"], request["version"])
    return find_same_layer(Layout(str(root)), Parameters(request), manifest) is not None


def good(client: AgentClient, artifact: Artifact, request: dict[str, Any]) -> dict[str, Any]:
    done = client.ask("prepare", archive=artifact.archive, **request)
    assert done["tree_sha256"] == artifact.tree_sha256
    client.ask("activate", version=artifact.version, release=artifact.version)
    client.ask("confirm", version=artifact.version, release=artifact.version)
    return done


def back(artifact: Artifact, **changes: Any) -> dict[str, Any]:
    """Return what a rollback asks for."""
    return artifact.told(artifact, sources=[], verify=True, **changes)


@pytest.fixture
def client(root: Path) -> Iterator[AgentClient]:
    """An agent on a host with one release and its layer."""
    with agent(root) as opened:
        good(opened, ONE, ONE.request())
        yield opened


def test_a_release_of_the_same_dependencies_is_made_and_recorded_as_any_other(
    root: Path, client: AgentClient
) -> None:
    assert short_cut(root, TWO.told(ONE))
    done = good(client, TWO, TWO.told(ONE))
    assert (done["notes"], done["reused"]) == ([], False)
    assert layer_of(root, "2.0") == layer_of(root, "1.0")
    assert (root / ".castoff/releases/2.0.table.json").read_bytes() == TWO.table_bytes
    whole(client, ONE, TWO)
    good(client, THREE, THREE.told(TWO))
    whole(client, THREE)
    assert len(list((root / "layers").iterdir())) == 1


def test_a_patch_is_applied_to_what_a_release_has_of_its_own(
    root: Path, client: AgentClient, tmp_path: Path
) -> None:
    noise = os.urandom(60_000)
    old, new = (
        make_artifact(
            name, {**LIB, "app/a.bin": name.encode() + noise, "static/b": b"b"}, raw_member=16_384
        )
        for name in ("5.0", "6.0")
    )
    good(client, old, old.told(ONE))
    patch = make_patch(old, new, tmp_path)
    client.patch = patch.data
    request = new.told(old, **patch.offer())
    assert short_cut(root, request)
    assert good(client, new, request)["ways"] == {"patch": len(patch.data)}
    whole(client, new)


def test_a_patch_of_what_lies_in_a_layer_is_not_applied(
    root: Path, client: AgentClient, tmp_path: Path
) -> None:
    noise = os.urandom(60_000)
    old = version("5.0", big=b"5" + noise)
    new, newer = version("6.0", big=b"6" + noise), version("7.0", big=b"6" + noise)
    good(client, old, old.told(ONE))
    good(client, new, new.told(old))
    patch = make_patch(old, newer, tmp_path)
    client.patch = patch.data
    before = {path: path.lstat() for path in layer_of(root, "6.0").rglob("*")}
    request = newer.told(new, **patch.offer())
    assert short_cut(root, request)
    done = good(client, newer, request)
    assert "patch" not in done["ways"]
    assert {path: path.lstat() for path in before} == before
    whole(client, new, newer)


def test_what_it_needs_is_foreseen(client: AgentClient) -> None:
    request = TWO.told(ONE)
    foreseen = client.ask("foresee", **request)
    in_full = client.ask("foresee", **TWO.request())
    assert foreseen == in_full
    assert good(client, TWO, request)["fetched"] == foreseen["fetch"]


def test_going_back_takes_the_word_of_the_seal(root: Path, client: AgentClient) -> None:
    good(client, TWO, TWO.told(ONE))
    assert short_cut(root, back(ONE))
    assert not short_cut(root, back(ONE, layers="read"))
    # A rollback may fetch what is not there any more; a release may be made because of its layer.
    assert short_cut(root, {**back(ONE), "sources": [{"kind": "controller"}]})
    assert not short_cut(root, back(ONE, reread=True))
    assert good(client, ONE, back(ONE))["reused"]
    own = root / "releases/1.0/app/main.py"
    own.chmod(0o644)
    own.write_bytes(b"9.9" * 900)
    own.chmod(0o444)
    with pytest.raises(AgentFailure, match=r"app/main\.py"):
        client.ask("prepare", **back(ONE))


def in_place(layer: Path) -> None:
    write_in_place(layer / "single.py", b"x = 2\n")


def put_another_there(layer: Path) -> None:
    shutil.copytree(layer, layer.parent / "other", symlinks=True, copy_function=shutil.copy2)
    layer.rename(layer.parent / "before")
    (layer.parent / "other").rename(layer)
    in_place(layer)


def put_a_link_there(layer: Path) -> None:
    layer.rename(layer.parent / "before")
    layer.symlink_to("before")
    in_place(layer)


@pytest.mark.parametrize("touch", [in_place, put_another_there, put_a_link_there])
def test_going_back_to_a_layer_that_was_touched_is_refused_and_a_release_mends_it(
    touch: Callable[[Path], None], root: Path, client: AgentClient
) -> None:
    good(client, TWO, TWO.told(ONE))
    touch(layer_of(root, "1.0"))
    assert not short_cut(root, back(ONE))
    with pytest.raises(AgentFailure) as refused:
        client.ask("prepare", **back(ONE))
    assert refused.value.code == "corrupt"
    assert not good(client, ONE, ONE.told(ONE, verify=True, exact=True))["reused"]
    whole(client, ONE)
    assert not short_cut(root, THREE.told(TWO))
    good(client, THREE, THREE.told(TWO))
    whole(client, THREE)


def test_going_back_to_a_release_that_links_to_another_layer_is_refused(
    root: Path, client: AgentClient
) -> None:
    good(client, OTHER, OTHER.told(ONE))
    assert layer_of(root, "4.0") != layer_of(root, "1.0")
    link = root / "releases/1.0/lib"
    target = (root / "releases/4.0/lib").readlink()
    link.unlink()
    link.symlink_to(target)
    assert not short_cut(root, back(ONE))
    with pytest.raises(AgentFailure, match=r"lib/pkg/new|changed since"):
        client.ask("prepare", **{**back(ONE), "exact": True})
    assert not short_cut(root, TWO.told(ONE))
    good(client, TWO, TWO.told(ONE))
    whole(client, TWO)
    assert len(list((root / "layers").iterdir())) == 2


@pytest.mark.parametrize("lost", ["layer", "seal", "records", "from a time before layers"])
def test_what_is_lost_sends_it_the_long_way(lost: str, root: Path, client: AgentClient) -> None:
    layer = layer_of(root, "1.0")
    seal = root / f".castoff/layers/{layer.name}.seal"
    if lost == "layer":
        layer.rename(root / "gone")
    elif lost == "seal":
        seal.unlink()
    elif lost == "records":
        seal.write_bytes(seal.read_bytes().partition(b"\n")[0] + b"\n")
    else:
        (root / "releases/1.0/lib").unlink()
        layer.rename(root / "releases/1.0/lib")
    assert not short_cut(root, TWO.told(ONE))
    good(client, TWO, TWO.told(ONE))
    whole(client, TWO)
    assert layer_of(root, "2.0").is_dir()


@pytest.mark.parametrize(
    ("artifact", "changes"),
    [
        (OTHER, {}),
        (version("5.0", **{"run.sh": b"#!/bin/sh\n"}), {}),
        (TWO, {"layers": "read"}),
        (TWO, {"layers": None}),
        (TWO, {"shared": ["lib/cache/"]}),
        (TWO, {"writable": ["lib/cache/"]}),
        (TWO, {"configured": ["lib/settings.ini"]}),
    ],
)
def test_other_dependencies_or_other_rules_go_the_long_way(
    artifact: Artifact, changes: dict[str, Any], root: Path, client: AgentClient
) -> None:
    request = artifact.told(ONE, **changes)
    assert not short_cut(root, request)
    good(client, artifact, request)
    found = client.ask("verify", version=artifact.version)
    assert found["tree_sha256"] == artifact.tree_sha256


def test_a_manifest_that_names_another_tree_is_refused(root: Path, client: AgentClient) -> None:
    request = TWO.with_manifest(tree_sha256=OTHER.tree_sha256).told(ONE)
    assert not short_cut(root, request)
    with pytest.raises(AgentFailure, match=r"contradicts|the manifest says"):
        client.ask("prepare", archive=TWO.archive, **request)
    assert not (root / "releases/2.0").exists()


def test_a_table_that_a_host_must_not_take_is_refused(client: AgentClient) -> None:
    rows = json.loads(TWO.table_bytes)["directories"]
    hostile = TWO.with_table(directories=[*rows, "static/../../up"])
    with pytest.raises(AgentFailure) as refused:
        client.ask("prepare", archive=TWO.archive, **hostile.told(ONE))
    assert refused.value.code == "invalid"


NAMES = st.sampled_from(
    ["app/a", "app/],[", "app/x],[", 'app/"', "app/\\", "app/,", "app/],[b", "z"]
)
TREES = st.dictionaries(NAMES, st.sampled_from([b"", b"1", b"22" * 40]), max_size=6)


@settings(max_examples=120, deadline=None)
@given(TREES, TREES, st.booleans())
def test_a_table_is_divided_and_changed_as_it_is_when_it_is_read_in_full(
    before: dict[str, bytes], after: dict[str, bytes], more: bool
) -> None:
    old = make_artifact("1", {**LIB, **before}).table_bytes
    new = make_artifact("2", {**LIB, **after, **({"lib/more": b"1"} if more else {})}).table_bytes
    difference = json.loads(json.dumps(table_delta(old, new)))
    try:
        rows = divided(old)
    except ValueError:
        assert b"\\" in old or b"],[" in b"".join(name.encode() for name in before)
        return
    assert rows.document() == old
    if more:
        with pytest.raises(ValueError, match="more"):
            changed(rows, difference, b"lib/")
        assert changed(rows, difference, b"nothing/").document() == new
    else:
        assert changed(rows, difference, b"lib/").document() == new
