"""The code of built-in steps is sent once; what lies in its place runs by the agent's own rules."""

from __future__ import annotations

import base64
import hashlib
import marshal
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.agent.loader import COMPILED, mark
from castoff.releaser.bundle import built_ins, built_ins_name
from support.agent_client import agent
from support.archives import make_artifact

TOLD = built_ins_name()
DIGEST = TOLD["digest"]
# What a check that was planted says in place of what the real one would.
PLANTED = "def perform(*_): return {'planted': True}"
CHECK: dict[str, Any] = {
    "what": "check",
    "version": "1.0",
    "name": "step",
    "options": {"command": "true", "successes": 1, "interval": 0.01},
    "env": {},
    "user": None,
    "timeout": 30,
}


@pytest.fixture
def folder(root: Path) -> Path:
    release = make_artifact("1.0", {"f": b"x"})
    with agent(root) as client:
        client.ask("prepare", archive=release.archive, **release.request())
    assert run(root) is True
    return root / ".castoff" / "built-ins"


def run(root: Path, *, lock: bool = True, planted: bool = False) -> bool:
    """Have a check done as a controller would; return whether its code had to be sent."""
    with agent(root, lock=lock) as client:
        here: bool = client.ask("load", **TOLD)["here"]
        if not here:
            assert client.ask("load", modules=built_ins()) == {"here": True}
        if lock:
            done = client.ask("built_in", **CHECK)
            assert done.get("planted", False) is planted
    return not here


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def modules(folder: Path) -> set[str]:
    _, _, rest = (folder / f"{DIGEST}{COMPILED}").read_bytes().partition(b"\n")
    return set(marshal.loads(rest))  # noqa: S302 (written by the agent of this test)


def plant(folder: Path) -> Path:
    """Put other code in place of a step's, as one who knows the format would."""
    code = marshal.dumps(compile(PLANTED, "planted", "exec"))
    rest = marshal.dumps({"builtins.check": code})
    path = folder / f"{DIGEST}{COMPILED}"
    path.unlink(missing_ok=True)
    path.write_bytes(mark(rest) + rest)
    path.chmod(0o644)
    return path


def test_it_is_sent_once(root: Path, folder: Path) -> None:
    assert names(folder) == [DIGEST, f"{DIGEST}{COMPILED}"]
    assert (folder / DIGEST).read_bytes() == base64.b64decode(built_ins())
    assert run(root) is False


def test_what_was_used_is_kept_compiled_and_what_is_used_later_joins_it(
    root: Path, folder: Path
) -> None:
    checks = modules(folder)
    assert "builtins.check" in checks
    assert "builtins.backups" not in checks
    with agent(root) as client:
        client.ask("load", **TOLD)
        client.ask("built_in", **{**CHECK, "what": "backups", "options": {}})
    assert modules(folder) >= checks | {"builtins.backups"}


def test_the_compiled_form_is_what_runs(root: Path, folder: Path) -> None:
    plant(folder)
    assert run(root, planted=True) is False


def test_who_holds_no_lock_leaves_nothing(root: Path, folder: Path) -> None:
    for name in names(folder):
        (folder / name).unlink()
    assert run(root, lock=False) is True
    assert names(folder) == []


def spoil_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def longer(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def gone(path: Path) -> None:
    path.unlink()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_link_without_end(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize(
    "spoil", [spoil_a_byte, cut_short, longer, gone, a_pipe, a_link_without_end]
)
def test_a_text_that_is_another_is_sent_anew(
    root: Path, folder: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(folder / DIGEST)
    assert run(root) is True
    assert hashlib.sha256((folder / DIGEST).read_bytes()).hexdigest() == DIGEST
    assert run(root) is False


@pytest.mark.parametrize("spoil", [spoil_a_byte, cut_short, gone, a_pipe])
def test_compiled_code_that_is_damaged_is_made_anew(
    root: Path, folder: Path, spoil: Callable[[Path], None]
) -> None:
    good = modules(folder)
    spoil(folder / f"{DIGEST}{COMPILED}")
    assert run(root) is False
    assert modules(folder) == good


def writable_file(path: Path) -> None:
    path.chmod(0o664)


def writable_folder(path: Path) -> None:
    path.parent.chmod(0o775)


def writable_root(path: Path) -> None:
    path.parent.parent.parent.chmod(0o777)


def file_of_another_user(path: Path) -> None:
    os.chown(path, 12_345, -1)


def folder_of_another_user(path: Path) -> None:
    os.chown(path.parent, 12_345, -1)


@pytest.mark.parametrize(
    "open_up",
    [writable_file, writable_folder, writable_root, file_of_another_user, folder_of_another_user],
)
def test_what_others_could_have_written_does_not_run(
    root: Path, folder: Path, open_up: Callable[[Path], None]
) -> None:
    if "another_user" in open_up.__name__ and os.geteuid() != 0:
        pytest.skip("only root can give files away")
    open_up(plant(folder))
    assert run(root) is False


def test_another_text_takes_the_place_of_both(root: Path, folder: Path) -> None:
    for name in names(folder):
        (folder / name).rename(folder / name.replace(DIGEST, "0" * 64))
    assert run(root) is True
    assert names(folder) == [DIGEST, f"{DIGEST}{COMPILED}"]


def test_a_place_that_cannot_be_written_to_is_no_hindrance(root: Path, folder: Path) -> None:
    for name in names(folder):
        (folder / name).unlink()
    folder.rmdir()
    folder.write_bytes(b"not a folder")
    assert run(root) is True
    assert run(root) is True
    assert not list((root / ".castoff" / "staging").iterdir())


def test_no_name_leads_out_of_the_folder(root: Path, folder: Path) -> None:
    (folder.parent / DIGEST).write_bytes((folder / DIGEST).read_bytes())
    with agent(root) as client:
        assert client.ask("load", digest=f"../{DIGEST}", size=TOLD["size"]) == {"here": False}
