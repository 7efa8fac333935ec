"""Steps `restart` and `clear_cache` in whole releases, judged by what then serves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from castoff.releaser.errors import RolledBack
from castoff.releaser.job import Scope
from castoff.store.artifacts import push
from castoff.store.file import FileStore
from support.engine import go, live
from support.local_scope import APP, make_scope
from support.memcached import Memcached, memcached
from support.ports import free_ports
from support.released import answer, end_all, server_files
from support.written_artifact import write_artifact

# Exits well, whether it does anything or not.
_RESTART = """
[ -e "$CASTOFF_SHARED/stuck" ] && exit 0
pid=$CASTOFF_SHARED/pid
if [ -e "$pid" ]; then
    kill "$(cat "$pid")"
    while kill -0 "$(cat "$pid")" 2>/dev/null; do sleep 0.05; done
fi
setsid sh "$CASTOFF_ROOT/current/bin/serve" PORT >/dev/null 2>&1 &
echo $! >"$pid"
"""


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def cache() -> Iterator[Memcached]:
    with memcached() as server:
        yield server


@pytest.fixture
def scope(tmp_path: Path, port: int, cache: Memcached) -> Iterator[Scope]:
    restart = {
        "command": _RESTART.replace("PORT", str(port)),
        "pid_file": "shared/pid",
        "grace": 0.5,
        "settle": 0.2,
        "answers": {
            "http": {"url": f"http://127.0.0.1:{port}/", "headers": {"X-Version": "{version}"}}
        },
    }
    steps = [
        {"name": "restart", "moment": "activate", "restart": restart, "timeout": 20},
        {
            "name": "forget",
            "moment": "after_activate",
            "once": True,
            "clear_cache": {"memcached": cache.address},
        },
    ]
    scope = make_scope(tmp_path, steps, hosts=1)
    store = FileStore(tmp_path / "store", url="file://store")
    for version in ("1.0", "2.0", "3.0"):
        files = server_files(version)
        push(store, write_artifact(tmp_path / "artifacts", APP, version, files))
    go(scope, "release", "1.0")
    yield replace(scope, store=store)
    end_all(tmp_path / "hosts" / "web1")


def test_a_release_is_done_once_it_runs_and_not_once_a_command_exits_well(
    scope: Scope, port: int, cache: Memcached, tmp_path: Path
) -> None:
    assert answer(port) == "1.0"
    cache.set("page", "of 1.0")
    go(scope, "release", "2.0")
    assert answer(port) == "2.0"
    assert not cache.has("page")

    (tmp_path / "hosts" / "web1" / "shared" / "stuck").touch()
    with pytest.raises(RolledBack, match=r"still runs from 2\.0, not 3\.0") as caught:
        go(scope, "release", "3.0")
    assert "process " in str(caught.value)
    assert answer(port) == "2.0"
    assert live(scope) == ["2.0"]
