"""`layers` in castoff.toml: what releases share on hosts, release after release, and back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.job import Scope
from castoff.releaser.operations.verify_hosts import verify_hosts
from castoff.releaser.session import AgentSession
from castoff.store.artifacts import push
from support.archives import Content
from support.engine import go
from support.local_scope import APP, make_scope
from support.written_artifact import write_artifact

LIB: dict[str, Content] = {"lib/pkg/one.py": b"1" * 900, "lib/pkg/two.py": b"2" * 900}
VERSIONS = ("1.1", "1.2", "1.3", "1.4")


def scope_with(folder: Path, **environment: Any) -> Scope:
    scope = make_scope(folder, [], hosts=2, keep=2, **environment)
    for version in VERSIONS:
        files: dict[str, Content] = {**LIB, "app/main.py": version.encode()}
        push(scope.store, write_artifact(folder / "more", APP, version, files))
    return scope


def libs(scope: Scope, version: str) -> list[Path]:
    return [Path(host.root) / "releases" / version / "lib" for host in scope.hosts]


def whole(scope: Scope) -> None:
    checked = verify_hosts(scope, version=None, every=True)
    assert checked.failure is None
    assert {len(host.releases) for host in checked.hosts} == {2}


@pytest.mark.parametrize("layers", [True, "read", False])
def test_releases_share_their_dependencies_as_castoff_toml_says(
    layers: bool | str, tmp_path: Path
) -> None:
    scope = scope_with(tmp_path, layers=layers)
    for version in VERSIONS[:3]:
        go(scope, "release", version)
    whole(scope)
    for one, other in zip(libs(scope, "1.2"), libs(scope, "1.3"), strict=True):
        assert one.is_symlink() == other.is_symlink() == bool(layers)
        assert one.samefile(other) == bool(layers)
    for host in scope.hosts:
        assert (Path(host.root) / "layers").exists() == bool(layers)
        assert not (Path(host.root) / "releases/1.1").exists()
    go(scope, "rollback", "1.2")
    whole(scope)


def test_by_default_they_do_and_what_one_host_has_damaged_is_shared_there_no_more(
    tmp_path: Path,
) -> None:
    scope = scope_with(tmp_path)
    for version in VERSIONS[:2]:
        go(scope, "release", version)
    damaged, sound = libs(scope, "1.2")
    file = damaged / "pkg/one.py"
    before = file.stat()
    file.chmod(0o644)
    file.write_bytes(b"0" * 900)
    file.chmod(0o444)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    go(scope, "release", "1.3")
    again, same = libs(scope, "1.3")
    assert (again / "pkg/one.py").read_bytes() == b"1" * 900
    assert not again.samefile(damaged)
    assert same.samefile(sound)
    checked = verify_hosts(scope, version=None, every=True)
    found = [
        (host.name, release.version, release.changed)
        for host in checked.hosts
        for release in host.releases
        if not release.whole
    ]
    assert found == [("web1", "1.2", ("lib/pkg/one.py",))]
    # With the last release that links to it, it is gone.
    go(scope, "release", "1.4")
    whole(scope)
    assert [len(list((Path(host.root) / "layers").iterdir())) for host in scope.hosts] == [1, 1]


def test_a_release_reads_the_layer_of_one_that_is_there_and_a_rollback_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rereads: list[bool] = []
    ask = AgentSession.ask

    def noted(self: AgentSession, reply: Any, operation: str, *about: Any, **told: Any) -> Any:
        if operation == "prepare":
            rereads.append(told["reread"])
        return ask(self, reply, operation, *about, **told)

    monkeypatch.setattr(AgentSession, "ask", noted)
    scope = scope_with(tmp_path, layers=True)
    for version in VERSIONS[:2]:
        go(scope, "release", version)
    rereads.clear()
    go(scope, "rollback", "1.1")
    assert rereads
    assert not any(rereads)
    rereads.clear()
    go(scope, "release", "1.1")
    assert rereads
    assert all(rereads)
