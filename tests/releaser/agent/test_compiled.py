"""What Python makes of the agent is kept on the host, and taken by those alone who may trust it."""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from castoff.releaser.agent.importer import MemoryImporter
from castoff.releaser.agent.loader import COMPILED, mark
from castoff.releaser.bundle import bundle, loader
from support.agent_client import AgentClient, open_request
from support.interpreters import interpreter

DIGEST = hashlib.sha256(bundle()).hexdigest()
ASKS_FOR_THE_TEXT = {"castoff": "agent"}
# Stands for code that the agent's folder must not make anybody run.
PLANTED = "print('planted', flush=True); raise SystemExit"


@pytest.fixture
def folder(root: Path) -> Path:
    visit(root)
    return root / ".castoff" / "agent"


def start(root: Path, python: str = sys.executable) -> AgentClient:
    """Start an agent as on a host that may have it; its greeting is the first that it says."""
    client = AgentClient(python, source=loader(str(root)))
    if client.greeting == ASKS_FOR_THE_TEXT:
        client.write(bundle())
        client.read()
    return client


def visit(root: Path, python: str = sys.executable) -> bool:
    """Take the host's lock and leave; return whether the agent had to be sent."""
    client = start(root, python)
    client.ask("open", **open_request(root))
    assert client.close() == b""
    return client.greeting == ASKS_FOR_THE_TEXT


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def plant(folder: Path) -> Path:
    """Put other code in place of the agent's, as one who knows the format would."""
    rest = marshal.dumps({"importer": marshal.dumps(compile(PLANTED, "planted", "exec"))})
    path = folder / f"{DIGEST}{COMPILED}"
    path.unlink(missing_ok=True)
    path.write_bytes(mark(rest) + rest)
    path.chmod(0o644)
    return path


def runs_what_was_planted(root: Path) -> bool:
    # What it prints is no message, so that nothing could be read of it.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AgentClient, "read", lambda client: {"line": client._out.readline()})
        client = AgentClient(source=loader(str(root)))
    client.close()
    return client.greeting == {"line": b"planted\n"}


def test_a_start_needs_neither_the_text_nor_a_compiler(root: Path, folder: Path) -> None:
    assert names(folder) == [DIGEST, f"{DIGEST}{COMPILED}"]
    (folder / DIGEST).unlink()
    assert not visit(root)


def test_lines_for_tracebacks_are_read_from_the_text_when_it_is_there() -> None:
    with_text = MemoryImporter({}, {"parameters": b""}, bundle)
    assert "class Parameters" in with_text.get_source("castoff_agent.parameters")
    without = MemoryImporter({}, {"parameters": b""}, lambda: b"")
    with pytest.raises(ImportError, match="no text of parameters"):
        without.get_source("castoff_agent.parameters")


def test_a_reader_leaves_nothing(root: Path) -> None:
    client = start(root)
    client.ask("open", **open_request(root, lock=False))
    client.close()
    assert not root.exists()


def spoil_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def of_another_python(path: Path) -> None:
    tag = sys.implementation.cache_tag or ""
    path.write_bytes(path.read_bytes().replace(tag.encode(), b"cpython-999", 1))


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("spoil", [spoil_a_byte, cut_short, empty, of_another_python, a_pipe])
def test_what_is_damaged_is_made_anew(
    root: Path, folder: Path, spoil: Callable[[Path], None]
) -> None:
    path = folder / f"{DIGEST}{COMPILED}"
    good = path.read_bytes()
    spoil(path)
    assert not visit(root), "its text is there"
    assert path.read_bytes() == good


def test_where_something_else_is_in_its_place_the_text_runs(root: Path, folder: Path) -> None:
    path = folder / f"{DIGEST}{COMPILED}"
    a_folder(path)
    assert not visit(root)
    assert not list((root / ".castoff" / "staging").iterdir())


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


def root_of_another_user(path: Path) -> None:
    os.chown(path.parent.parent.parent, 12_345, -1)


def link_to_the_file(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


@pytest.mark.parametrize(
    "open_up",
    [
        writable_file,
        writable_folder,
        writable_root,
        file_of_another_user,
        folder_of_another_user,
        root_of_another_user,
        link_to_the_file,
    ],
)
def test_what_others_could_have_written_does_not_run(
    root: Path, folder: Path, open_up: Callable[[Path], None]
) -> None:
    path = plant(folder)
    assert runs_what_was_planted(root), "or this test would see nothing"
    if "another_user" in open_up.__name__ and os.geteuid() != 0:
        pytest.skip("only root can give files away")
    open_up(path)
    assert not runs_what_was_planted(root)


def test_nothing_is_kept_where_others_could_change_it(root: Path) -> None:
    root.mkdir(parents=True)
    root.chmod(0o777)
    visit(root)
    assert names(root / ".castoff" / "agent") == [DIGEST]


def test_another_agent_takes_the_place_of_both(root: Path, folder: Path) -> None:
    for name in names(folder):
        (folder / name).rename(folder / name.replace(DIGEST, "0" * 64))
    assert visit(root)
    assert names(folder) == [DIGEST, f"{DIGEST}{COMPILED}"]


@pytest.mark.parametrize("minor", [8, 9, 10, 12, 13, 14])
def test_every_python_makes_its_own(minor: int, root: Path, folder: Path) -> None:
    python = interpreter(minor)
    if python is None:
        pytest.skip(f"no Python 3.{minor} on this machine")
    before = (folder / f"{DIGEST}{COMPILED}").read_bytes()
    assert not visit(root, python)
    made = (folder / f"{DIGEST}{COMPILED}").read_bytes()
    assert made.partition(b"\n")[0] != before.partition(b"\n")[0]
    (folder / DIGEST).unlink()
    assert not visit(root, python)
