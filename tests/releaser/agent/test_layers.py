"""Releases with the same dependencies share them; what was touched is shared no more."""

from __future__ import annotations

import errno
import json
import mmap
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.agent.builtins.evidence import evidence
from castoff.releaser.agent.layers import Shareable, find_layer, names_of, shareable
from castoff.releaser.agent.layout import Layout
from castoff.releaser.agent.links import plan_links
from castoff.releaser.agent.manifest import Manifest
from castoff.releaser.agent.reuse import Wanted
from castoff.releaser.agent.seal import seal_of
from castoff.releaser.agent.table import parse_table
from support.agent_client import AgentClient, AgentGone, agent, open_request
from support.archives import Artifact, Content, make_artifact
from support.killed_agent import deadly_bundle
from support.layered import layer_of, whole, write_in_place

LIB: dict[str, Content] = {
    "lib/pkg/__init__.py": b"import os\n" * 90,
    "lib/pkg/data/one.bin": os.urandom(300_000),
    "lib/pkg/run.sh": (b"#!/bin/sh\n", True),
    "lib/single.py": b"x = 1\n",
}
LINKS = {"lib/pkg/again.py": "__init__.py", "bin/tool": "../lib/pkg/run.sh"}


def version(name: str, **changes: Content) -> Artifact:
    """Return a release of the same dependencies, but for `changes` by their names in `pkg`."""
    changed = {f"lib/pkg/{key}": content for key, content in changes.items()}
    files = {**LIB, **changed, "app/main.py": name.encode()}
    return make_artifact(name, files, directories=["lib/empty"], links=LINKS, raw_member=16_384)


ONE, TWO, THREE = version("1.0"), version("2.0"), version("3.0")
OTHER = version("4.0", more=b"more")


def prepare(client: AgentClient, artifact: Artifact, **changes: Any) -> dict[str, Any]:
    done = client.ask("prepare", archive=artifact.archive, **artifact.request(**changes))
    assert done["tree_sha256"] == artifact.tree_sha256
    return done


def good(client: AgentClient, *artifacts: Artifact) -> None:
    for artifact in artifacts:
        prepare(client, artifact)
        client.ask("activate", version=artifact.version, release=artifact.version)
        client.ask("confirm", version=artifact.version, release=artifact.version)


def layers(root: Path) -> list[str]:
    return sorted(path.name for path in (root / "layers").iterdir())


def seals(root: Path) -> list[str]:
    return sorted(path.name for path in (root / ".castoff/layers").iterdir())


def spoilt(client: AgentClient, artifact: Artifact, *paths: str) -> None:
    for quick in (True, False):
        found = client.ask("verify", version=artifact.version, quick=quick)
        assert found["changed"] + found["missing"] + found["extra"] == list(paths)
        assert found["tree_sha256"] != artifact.tree_sha256


def test_a_second_release_links_to_what_the_first_has_and_makes_only_its_own(root: Path) -> None:
    with agent(root) as client:
        assert prepare(client, ONE)["fetched"] > 0
        layer = layer_of(root, "1.0")
        before = {path: path.lstat() for path in [layer, *layer.rglob("*")]}
        done = prepare(client, TWO)
        assert done["fetched"] < len(TWO.archive)
        assert done["notes"] == []
        assert layer_of(root, "2.0") == layer
        assert str((root / "releases/2.0/lib").readlink()) == f"../../layers/{layer.name}"
        assert {path: path.lstat() for path in before} == before
        whole(client, ONE, TWO)
    assert layers(root) == [layer.name]
    for path, status in before.items():
        if not path.is_symlink():
            assert not status.st_mode & 0o222, path
    assert (root / "releases/2.0/bin/tool").read_bytes() == b"#!/bin/sh\n"
    assert (root / "releases/2.0/app/main.py").read_bytes() == b"2.0"


def test_other_dependencies_are_another_layer(root: Path) -> None:
    with agent(root) as client:
        prepare(client, ONE)
        prepare(client, OTHER)
        assert len(layers(root)) == 2
        assert layer_of(root, "1.0") != layer_of(root, "4.0")
        whole(client, ONE, OTHER)


def change_a_byte(layer: Path) -> None:
    file = layer / "single.py"
    size = file.stat().st_size
    write_in_place(file, b"x = 2\n")
    assert file.stat().st_size == size


def change_and_change_back(layer: Path) -> None:
    write_in_place(layer / "single.py", b"x = 1\n")


def remove_a_file(layer: Path) -> None:
    (layer / "pkg/data/one.bin").unlink()


def add_a_file(layer: Path) -> None:
    (layer / "pkg/data/two.bin").write_bytes(b"2")


def replace_a_folder(layer: Path) -> None:
    shutil.move(layer / "pkg/data", layer.parent / "aside")
    shutil.copytree(layer.parent / "aside", layer / "pkg/data")
    shutil.rmtree(layer.parent / "aside")


def let_a_link_lead_elsewhere(layer: Path) -> None:
    (layer / "pkg/again.py").unlink()
    (layer / "pkg/again.py").symlink_to("../single.py")


DAMAGE: list[tuple[Callable[[Path], None], list[str]]] = [
    (change_a_byte, ["lib/single.py"]),
    (change_and_change_back, []),
    (remove_a_file, ["lib/pkg/data/one.bin"]),
    (add_a_file, ["lib/pkg/data/two.bin"]),
    (replace_a_folder, []),
    (let_a_link_lead_elsewhere, ["lib/pkg/again.py"]),
]


@pytest.mark.parametrize(("touch", "differs"), DAMAGE, ids=[f.__name__ for f, _ in DAMAGE])
def test_what_was_touched_is_shared_no_more(
    touch: Callable[[Path], None], differs: list[str], root: Path
) -> None:
    with agent(root) as client:
        prepare(client, ONE)
        layer = layer_of(root, "1.0")
        touch(layer)
        (note,) = prepare(client, TWO)["notes"]
        assert str(layer) in note
        again = layer_of(root, "2.0")
        assert again.name == layer.name[:-1] + "2"
        whole(client, TWO)
        if differs:
            spoilt(client, ONE, *differs)
        else:
            whole(client, ONE)
        # What was made instead is shared from then on, and nothing more is said of the other.
        assert prepare(client, THREE)["notes"] == []
        assert layer_of(root, "3.0") == again
        # The damaged release is made anew, of the whole layer.
        request = {"verify": True, "exact": True}
        assert prepare(client, ONE, **request)["reused"] == (not differs)
        whole(client, ONE, TWO, THREE)


def part_of(artifact: Artifact) -> Shareable:
    """Return what of a release may lie in a layer."""
    name = artifact.version
    manifest, table = Manifest(artifact.manifest.decode(), name), parse_table(artifact.table_bytes)
    part = shareable(Wanted(name, manifest, table, plan_links(table, [], [], name)))
    assert part is not None
    return part


def decay(root: Path, layer: Path) -> None:
    """Change a layer's content in a way of which the file system says nothing."""
    change_a_byte(layer)
    part = part_of(ONE)
    document = root / f".castoff/layers/{layer.name}.seal"
    head, _, kept = document.read_bytes().partition(b"\n")
    text = json.loads(head)
    text["seal"] = seal_of(str(layer), names_of(part.part))
    document.write_bytes(json.dumps(text).encode() + b"\n" + kept)


@pytest.mark.parametrize("asked", ["layers.seal_of", "tree._walk"])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_is_full_says_nothing_of_a_layer(
    root: Path, monkeypatch: pytest.MonkeyPatch, asked: str, error: int
) -> None:
    with agent(root) as client:
        prepare(client, ONE)
    wanted = part_of(ONE)
    layer = layer_of(root, "1.0").name
    assert find_layer(Layout(str(root)), wanted, reads=True) == (layer, [])

    def fail(*_: object) -> None:
        raise OSError(error, "refused")

    monkeypatch.setattr(f"castoff.releaser.agent.{asked}", fail)
    if error == errno.ENOSPC:
        with pytest.raises(OSError, match="refused"):
            find_layer(Layout(str(root)), wanted, reads=True)
    else:
        assert find_layer(Layout(str(root)), wanted, reads=True) == (None, [layer])


def test_what_decays_on_the_disk_is_found_where_layers_are_read(root: Path) -> None:
    with agent(root) as client:
        prepare(client, ONE)
        layer = layer_of(root, "1.0")
        decay(root, layer)
        prepare(client, TWO)
        assert layer_of(root, "2.0") == layer
        assert client.ask("verify", version="2.0")["changed"] == ["lib/single.py"]
        prepare(client, THREE, layers="read")
        assert layer_of(root, "3.0") != layer
        whole(client, THREE)


def test_a_release_that_was_refused_does_not_get_its_layer_again_unread(root: Path) -> None:
    with agent(root) as client:
        good(client, ONE)
        layer = layer_of(root, "1.0")
        decay(root, layer)
        assert not prepare(client, ONE, verify=True)["reused"]
        assert layer_of(root, "1.0") != layer
        whole(client, ONE)


def test_a_layer_goes_with_the_last_release_that_links_to_it(root: Path) -> None:
    with agent(root) as client:
        good(client, ONE, TWO, OTHER, version("5.0", more=b"more"))
        shared, other = layer_of(root, "1.0").name, layer_of(root, "4.0").name
        foreseen = client.ask("prunable", keep=3, never=[])
        assert client.ask("prune", keep=3, never=[]) == foreseen
        assert foreseen["removed"] == ["1.0"]
        assert layers(root) == sorted([shared, other])
        whole(client, TWO, OTHER)
        small = foreseen["freed"]
        foreseen = client.ask("prunable", keep=2, never=[])
        assert client.ask("prune", keep=2, never=[]) == foreseen
        assert foreseen["removed"] == ["2.0"]
        assert foreseen["freed"] > small
        assert layers(root) == [other]
        assert seals(root) == [f"{other}.seal"]
        whole(client, OTHER)


def test_going_back_finds_the_layer_of_then(root: Path) -> None:
    with agent(root) as client:
        good(client, ONE, OTHER)
        request = ONE.request(sources=[], verify=True)
        assert client.ask("prepare", **request)["reused"]
        client.ask("activate", version="1.0", release="back")
        client.ask("confirm", version="1.0", release="back")
        assert (root / "current/lib/single.py").read_bytes() == b"x = 1\n"
        layer_of(root, "1.0").rename(root / "gone")
        missing = client.ask("verify", version="1.0")
        assert "lib/single.py" in missing["missing"]
        prepare(client, ONE, verify=True)
        whole(client, ONE, OTHER)


def test_releases_with_and_without_layers_go_together(root: Path) -> None:
    with agent(root) as client:
        old = version("0.9")
        good(client, old)
        shutil.rmtree(root / "layers")
        # As an older Castoff has made it.
        lib = root / "releases/0.9/lib"
        lib.unlink()
        prepare(client, old, layers=None)
        assert lib.is_dir()
        assert not lib.is_symlink()
        fetched = prepare(client, ONE)["fetched"]
        assert fetched < len(ONE.archive)
        assert (root / "releases/1.0/lib").is_symlink()
        client.ask("activate", version="1.0", release="r")
        client.ask("confirm", version="1.0", release="r")
        # Switched off, the files are copied out of the layer.
        assert prepare(client, TWO, layers=None)["fetched"] == fetched
        plain = root / "releases/2.0/lib"
        assert plain.is_dir()
        assert not plain.is_symlink()
        assert plain.stat().st_mode & 0o777 == 0o755
        whole(client, ONE, TWO)
        assert client.ask("prepare", **old.request(sources=[], verify=True))["reused"]


def test_where_there_can_be_no_layers_a_release_has_all_of_its_own(root: Path) -> None:
    root.mkdir(parents=True)
    (root / "layers").write_text("")
    with agent(root) as client:
        for artifact in (ONE, TWO):
            (note,) = prepare(client, artifact)["notes"]
            assert "not shared" in note
        whole(client, ONE, TWO)
        assert client.ask("prune", keep=2, never=["2.0"])["removed"] == ["1.0"]
    assert not (root / "releases/2.0/lib").is_symlink()


def installed(folder: str, **dependency: Any) -> Artifact:
    files = {**LIB, f"lib/{folder}.dist-info/RECORD": b"", "app/main.py": b"1"}
    artifact = make_artifact("1.0", files)
    return artifact.with_manifest(dependencies=[dependency]) if dependency else artifact


UNFIT: dict[str, tuple[Artifact, dict[str, Any]]] = {
    "the project's own code": (installed("shop-1.0"), {}),
    "a member of its workspace": (
        installed("shop_core-1.0", name="shop-core", version="1.0", local=True),
        {},
    ),
    "a manifest that does not tell": (
        installed("PyYAML-6.0", name="pyyaml", version="6.0"),
        {},
    ),
    "a link that leads out": (
        make_artifact("1.0", LIB, directories=["app"], links={"lib/pkg/app": "../../app"}),
        {},
    ),
    "a link that leads out by another": (
        make_artifact(
            "1.0", LIB, links={"lib/pkg/data/up": "../..", "lib/pkg/data/out": "up/../bin"}
        ),
        {},
    ),
    "a link through it": (
        make_artifact("1.0", {**LIB, "app/a": b""}, links={"bin/a": "../lib/../app/a"}),
        {},
    ),
    "a shared path in it": (ONE, {"shared": ["lib/pkg/cache/"]}),
    "a writable path in it": (ONE, {"writable": ["lib/empty/"]}),
    "no dependencies": (make_artifact("1.0", {"app/a": b""}, directories=["lib"]), {}),
}


@pytest.mark.parametrize("why", UNFIT)
def test_what_would_not_work_from_a_layer_is_none(why: str, root: Path) -> None:
    artifact, changes = UNFIT[why]
    with agent(root) as client:
        prepare(client, artifact, **changes)
        whole(client, artifact)
    assert not (root / "releases/1.0/lib").is_symlink()
    assert not (root / "layers").exists()


def test_dependencies_from_an_index_are_known_by_their_names(root: Path) -> None:
    artifact = installed("Ruamel.YAML_x-6.0", name="ruamel-yaml-x", version="6.0", local=False)
    with agent(root) as client:
        prepare(client, artifact)
    assert (root / "releases/1.0/lib").is_symlink()


def test_a_host_foresees_that_it_need_not_fetch_what_a_layer_holds(root: Path) -> None:
    with agent(root) as client:
        prepare(client, ONE)
        layer = layer_of(root, "1.0")
        with agent(root, lock=False) as reader:
            foreseen = reader.ask("foresee", **TWO.request())
            decay(root, layer)
            change_a_byte(layer)
            reader.ask("foresee", **TWO.request())
        # A reader changes nothing.
        assert seals(root) == [f"{layer.name}.seal"]
        assert prepare(client, TWO)["fetched"] >= foreseen["fetch"]


def right(root: Path, *artifacts: Artifact) -> None:
    """Whatever release is there is whole, all of its dependencies among it."""
    for artifact in artifacts:
        release = root / "releases" / artifact.version
        if release.exists():
            for path, content in LIB.items():
                wanted = content if isinstance(content, bytes) else content[0]
                assert (release / path).read_bytes() == wanted, path


def sweep(root: Path, action: Callable[[AgentClient], object], check: Callable[[], None]) -> int:
    calls = 0
    while True:
        calls += 1
        client = AgentClient(source=deadly_bundle(calls))
        try:
            client.ask("open", **open_request(root))
            action(client)
        except AgentGone:
            check()
            continue
        finally:
            client.close()
        return calls


@pytest.mark.parametrize("first", [True, False], ids=["made", "shared"])
def test_prepare_may_be_killed_before_any_call(first: bool, root: Path) -> None:
    with agent(root) as client:
        good(client, OTHER if first else ONE)

    def check() -> None:
        right(root, ONE, TWO)
        assert (root / "current/lib/pkg/data/one.bin").read_bytes() == LIB["lib/pkg/data/one.bin"]

    calls = sweep(root, lambda client: prepare(client, TWO), check)
    assert calls > (50 if first else 30)
    with agent(root) as client:
        whole(client, TWO)
        client.ask("activate", version="2.0", release="r")
        client.ask("confirm", version="2.0", release="r")
        client.ask("prune", keep=2, never=[])
        # Nothing is left but what is linked to, and that is shared.
        assert layers(root) == sorted(
            {layer_of(root, name.name).name for name in (root / "releases").iterdir()}
        )
        prepare(client, THREE)
        assert layer_of(root, "3.0") == layer_of(root, "2.0")


def test_prune_may_be_killed_before_any_call(root: Path) -> None:
    with agent(root) as client:
        good(client, ONE, OTHER, version("5.0", more=b"more"))
    last = layer_of(root, "4.0").name

    def check() -> None:
        right(root, ONE, OTHER)
        with agent(root) as client:
            prepare(client, ONE)
            whole(client, ONE, OTHER)

    assert sweep(root, lambda client: client.ask("prune", keep=2, never=[]), check) > 20
    assert layers(root) == [last]
    assert seals(root) == [f"{last}.seal"]
    assert not (root / "releases/1.0").exists()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that every user may write to, and reach."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def test_a_user_who_is_not_root_can_neither_write_to_a_layer_nor_fails_to_remove_it(
    open_folder: Path,
) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root, to become somebody else")
    python = open_folder / "python"
    become = "setpriv --reuid=65534 --regid=65534 --clear-groups"
    python.write_text(f'#!/bin/sh\nHOME=/ exec {become} /usr/bin/python3 "$@"\n')
    python.chmod(0o755)
    root = open_folder / "shop"
    with agent(root, python=str(python)) as client:
        good(client, ONE, TWO, OTHER)
        layer = layer_of(root, "1.0")
        assert layer.stat().st_uid == 65_534
        for path in (layer / "pkg/new", layer / "single.py", layer / "new"):
            argv = [*become.split(), "sh", "-c", 'echo > "$0"', str(path)]
            assert subprocess.run(argv, check=False, capture_output=True).returncode != 0
        good(client, version("5.0", more=b"more"))
        assert client.ask("prune", keep=2, never=[])["removed"] == ["1.0", "2.0"]
        assert not layer.exists()
        whole(client, OTHER)


def test_a_layer_of_which_a_process_uses_a_file_stays(root: Path) -> None:
    with agent(root) as client:
        good(client, ONE, OTHER, version("5.0", more=b"more"))
        layer = layer_of(root, "1.0")
        with (layer / "pkg/data/one.bin").open("rb") as file:
            seen = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        me = os.getpid()
        # What one release alone links to shows that one, as its own files do.
        assert me in client.ask("processes")["processes"]["1.0"]
        assert list(evidence([me], Layout(str(root)), None)[me] or ()) == ["1.0"]
        assert client.ask("prune", keep=2, never=[])["kept"]["1.0"] == "in use by a process"
        prepare(client, TWO)
        assert client.ask("processes")["processes"] == {}
        assert evidence([me], Layout(str(root)), None) == {me: {}}
        assert client.ask("prune", keep=2, never=[])["removed"] == ["1.0", "2.0"]
        assert layer.exists()
        seen.close()
        client.ask("prune", keep=2, never=[])
        assert not layer.exists()
