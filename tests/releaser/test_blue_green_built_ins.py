"""Built-in steps and configuration files beside blue-green: each is about the right instance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.errors import NotActivated, RolledBack
from castoff.releaser.job import Scope
from castoff.store.artifacts import push
from castoff.store.file import FileStore
from support.engine import go, live
from support.local_scope import APP, make_scope
from support.ports import free_ports
from support.released import answer, end_all, server_files
from support.written_artifact import write_artifact

# By a relative path: it runs in the folder of the instance that is started.
_START = """
[ -e "$CASTOFF_SHARED/stuck" ] && exit 3
pwd -L >>"$CASTOFF_SHARED/started-in"
setsid sh bin/serve "$PORT" >/dev/null 2>&1 &
echo $! >"$CASTOFF_SHARED/$CASTOFF_COLOR.pid"
"""
_ASKING = {"url": "http://127.0.0.1:{PORT}/", "headers": {"X-Version": "{version}"}}


@pytest.fixture
def ports() -> list[int]:
    return free_ports(2)


@pytest.fixture
def scope(tmp_path: Path, ports: list[int]) -> Iterator[Scope]:
    restart = {
        "gunicorn": {"pid_file": "shared/{CASTOFF_COLOR}.pid", "start": _START},
        "grace": 0.5,
        "settle": 0.2,
        "answers": {"http": _ASKING},
    }
    migrate = {"command": 'echo "$CASTOFF_VERSION" >>"$CASTOFF_SHARED/migrated"'}
    check = 'test "$CASTOFF_VERSION" != "$(cat "$CASTOFF_SHARED/sick" 2>/dev/null)"'
    steps: list[dict[str, Any]] = [
        {"name": "migrate", "moment": "once", "migrate": migrate},
        {"name": "start", "moment": "start_idle", "restart": restart, "timeout": 20},
        {"name": "is-up", "moment": "check_idle", "http": {**_ASKING, "successes": 1}},
        {
            "name": "switch",
            "moment": "activate",
            "command": 'echo "$PORT" >"$CASTOFF_SHARED/upstream"',
        },
        {"name": "health", "moment": "after_activate", "command": check},
    ]
    (tmp_path / "etc").mkdir()
    config = (
        {"template": "deploy/settings.j2", "path": "app/settings"},
        {"template": "deploy/settings.j2", "path": f"{tmp_path}/etc/site"},
    )
    scope = make_scope(
        tmp_path,
        steps,
        hosts=1,
        config=config,
        strategy={
            "kind": "blue-green",
            "blue": {"PORT": str(ports[0])},
            "green": {"PORT": str(ports[1])},
        },
    )
    store = FileStore(tmp_path / "store", url="file://store")
    for version in ("1.0", "2.0", "3.0"):
        files = {**server_files(version), "app/deploy/settings.j2": b"of {{ version }}"}
        push(store, write_artifact(tmp_path / "artifacts", APP, version, files))
    yield replace(scope, store=store)
    end_all(tmp_path / "hosts" / "web1")


def test_each_step_is_about_its_instance_and_the_way_back_starts_nothing(
    scope: Scope, ports: list[int], tmp_path: Path
) -> None:
    root = tmp_path / "hosts" / "web1"

    def seen() -> tuple[str, str, list[str]]:
        upstream = int((root / "shared/upstream").read_text())
        return answer(upstream), (tmp_path / "etc/site").read_text(), live(scope)

    def started() -> list[str]:
        return (root / "shared/started-in").read_text().split()

    go(scope, "release", "1.0")
    assert seen() == ("1.0", "of 1.0", ["1.0"])
    go(scope, "release", "2.0")
    assert seen() == ("2.0", "of 2.0", ["2.0"])
    assert [answer(port) for port in ports] == ["1.0", "2.0"]
    assert started() == [f"{root}/blue", f"{root}/green"]
    assert (root / "shared/migrated").read_text().split() == ["1.0", "2.0"]
    assert [(root / color / "app/settings").read_text() for color in ("blue", "green")] == [
        "of 1.0",
        "of 2.0",
    ]

    go(scope, "rollback", "1.0")
    assert seen() == ("1.0", "of 1.0", ["1.0"])
    # One that fails after the flip goes back to what was left running.
    (root / "shared/sick").write_text("2.0")
    with pytest.raises(RolledBack):
        go(scope, "rollback", "2.0")
    (root / "shared/sick").unlink()
    assert seen() == ("1.0", "of 1.0", ["1.0"])
    assert len(started()) == 2

    (root / "shared/stuck").touch()
    (root / "shared/green.pid").unlink()
    with pytest.raises(NotActivated, match="did not come up beside what serves"):
        go(scope, "release", "3.0")
    assert seen() == ("1.0", "of 1.0", ["1.0"])
    assert answer(ports[0]) == "1.0"
