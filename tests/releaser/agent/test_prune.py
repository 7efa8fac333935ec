from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from castoff.releaser.agent import trash
from castoff.releaser.agent.processes import Uses
from support.agent_client import AgentClient, AgentFailure, agent, open_request
from support.archives import make_artifact


def prepare(client: AgentClient, *versions: str) -> None:
    for version in versions:
        artifact = make_artifact(version, {"app/version": version.encode()})
        client.ask("prepare", archive=artifact.archive, **artifact.request(interpreter="/x/py"))


def good(client: AgentClient, *versions: str) -> None:
    prepare(client, *versions)
    for version in versions:
        client.ask("activate", version=version, release=f"r-{version}")
        client.ask("confirm", version=version, release=f"r-{version}")


def prune(client: AgentClient, keep: int, *never: str) -> list[str]:
    removed = client.ask("prune", keep=keep, never=list(never))["removed"]
    return sorted(map(str, removed))


def test_the_newest_good_releases_stay_in_the_order_they_were_confirmed(root: Path) -> None:
    with agent(root) as client:
        good(client, "9", "10", "8", "11", "7")
        assert prune(client, 3) == ["10", "9"]
        assert client.ask("state")["state"]["releases"] == ["11", "7", "8"]
        assert {p.name for p in (root / "releases").iterdir()} == {"11", "7", "8"}
        kept = {p.name.split(".")[0] for p in (root / ".castoff/releases").iterdir()}
        assert kept == {"11", "7", "8"}
        assert {p.name for p in (root / ".castoff/python").iterdir()} == {"11", "7", "8"}
        assert list((root / ".castoff/trash").iterdir()) == []


def test_the_current_and_the_one_before_stay_even_if_none_should(root: Path) -> None:
    with agent(root) as client:
        good(client, "1", "2", "3")
        assert prune(client, 0) == ["1"]
        assert client.ask("state")["state"]["releases"] == ["2", "3"]


def test_releases_that_were_never_good_go_unless_they_are_named(root: Path) -> None:
    with agent(root) as client:
        good(client, "1", "2")
        prepare(client, "3", "4", "5")
        assert prune(client, 5, "4") == ["3", "5"]
        assert client.ask("state")["state"]["releases"] == ["1", "2", "4"]


def test_both_ends_of_an_unconfirmed_flip_stay(root: Path) -> None:
    with agent(root) as client:
        good(client, "1", "2", "3")
        prepare(client, "4")
        client.ask("activate", version="1", release="r")
        client.ask("activate", version="4", release="s")
        assert prune(client, 0) == []


def test_a_release_in_which_a_process_works_stays(root: Path) -> None:
    with agent(root) as client:
        good(client, "1", "2", "3", "4", "5")
        library = root / "releases/2/library"
        library.write_bytes(bytes(4096))
        program = root / "releases/3/program"
        program.write_bytes(Path("/bin/sleep").read_bytes())
        program.chmod(0o755)
        mapper = (
            "import mmap, sys; f = open(sys.argv[1], 'rb'); m = mmap.mmap(f.fileno(), 0, "
            "prot=mmap.PROT_READ); print('ready', flush=True); sys.stdin.read()"
        )
        processes = [
            subprocess.Popen(
                ["sh", "-c", "echo ready; exec cat"],
                cwd=root / "releases/1",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            ),
            subprocess.Popen(
                ["python3", "-c", mapper, str(library)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            ),
            subprocess.Popen([str(program), "300"]),
        ]
        try:
            for process in processes[:2]:
                assert process.stdout is not None
                assert process.stdout.readline() == b"ready\n"
            assert prune(client, 0) == []
        finally:
            for process in processes:
                process.kill()
                process.communicate()
        assert prune(client, 0) == ["1", "2", "3"]


def test_a_release_whose_library_is_mapped_far_below_any_folder_stays(root: Path) -> None:
    with agent(root) as client:
        good(client, "1", "2", "3")
        library = root / "releases/1/library"
        library.write_bytes(bytes(4096))
        # Deeper than a page of text, so that the kernel does not tell where the process works.
        mapper = (
            "import mmap, os, sys; f = open(sys.argv[1], 'rb'); m = mmap.mmap(f.fileno(), 0, "
            "prot=mmap.PROT_READ); os.chdir(sys.argv[2])\n"
            "for _ in range(20): os.mkdir('d' * 250); os.chdir('d' * 250)\n"
            "print('ready', flush=True); sys.stdin.read()"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", mapper, str(library), str(root.parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            assert prune(client, 0) == []
        finally:
            process.kill()
            process.communicate()
        assert prune(client, 0) == ["1"]


def test_a_process_shows_the_release_that_its_launcher_named(root: Path) -> None:
    with agent(root) as client:
        good(client, "1", "2", "3")
        process = subprocess.Popen(
            ["sh", "-c", "echo ready; exec cat"],
            env={"CASTOFF_RELEASE": str(root / "releases/1")},
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            assert client.ask("processes") == {"processes": {"1": [process.pid]}}
            assert prune(client, 2) == []
        finally:
            process.kill()
            process.communicate()
        assert client.ask("processes") == {"processes": {}}
        assert prune(client, 2) == ["1"]


def test_what_would_go_is_told_with_the_reason_for_what_stays_and_nothing_is_done(
    root: Path,
) -> None:
    with agent(root) as client:
        good(client, "1", "2", "3", "4")
        prepare(client, "5", "6")
    with agent(root, lock=False) as reader:
        found = reader.ask("prunable", keep=3, never=["5"])
        assert found["removed"] == ["1", "6"]
        assert found["kept"] == {
            "4": "current",
            "3": "the good one before",
            "5": "needed by the environment",
            "2": "one of the newest good ones",
        }
        assert found["freed"] > 0
        assert len(reader.ask("state")["state"]["releases"]) == 6
    with agent(root) as client:
        assert client.ask("prune", keep=3, never=["5"]) == found


def test_failed_releases_never_push_good_ones_out(root: Path) -> None:
    with agent(root) as client:
        good(client, "1", "2", "3")
        prepare(client, "4", "5", "6", "7")
        assert prune(client, 3) == ["4", "5", "6", "7"]


def test_a_disk_without_a_byte_left_can_be_pruned_though_nothing_else_can_be_done(
    full_disk: Path,
) -> None:
    root = full_disk / "shop"
    with agent(root) as client:
        good(client, "1", "2", "3")
    fill(full_disk)
    with agent() as client:
        with pytest.raises(AgentFailure) as caught:
            client.ask("open", **open_request(root, token=2))
        assert caught.value.code == "no-space"
        client.ask("open", **open_request(root, token=2, even_if_full=True))
        with pytest.raises(AgentFailure, match="only `prune` can be done"):
            client.ask("activate", version="1", release="r")
        found = client.ask("prune", keep=2, never=[])
        assert found["removed"] == ["1"]
        assert found["freed"] > 0
    with agent(root, token=2) as client:
        assert client.ask("state")["state"]["releases"] == ["2", "3"]


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(folder)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> None:
    with (disk / "ballast").open("wb", buffering=0) as file:
        for block in (4096, 1):
            try:
                while True:
                    file.write(bytes(block))
            except OSError:
                continue


def test_a_pruned_release_is_forgotten_and_can_come_back(root: Path) -> None:
    with agent(root) as client:
        good(client, "1", "2", "3")
        prune(client, 2)
        state = json.loads((root / ".castoff/state.json").read_text())
        assert state["confirmed"] == ["2", "3"]
        prepare(client, "1")
        assert (root / "releases/1/app/version").read_bytes() == b"1"


def test_what_castoff_did_not_make_is_left(root: Path) -> None:
    with agent(root) as client:
        good(client, "1", "2")
        (root / "releases/by-hand").mkdir()
        assert prune(client, 2) == []
    assert (root / "releases/by-hand").is_dir()
    assert str((root / "current").readlink()) == "releases/2"


def test_a_second_look_sees_who_has_come_and_who_has_moved_since_the_first(tmp_path: Path) -> None:
    script = (
        "import mmap, os, sys\n"
        "for line in iter(sys.stdin.readline, ''):\n"
        "    where, folder = line.split()\n"
        "    if where == 'cwd':\n"
        "        os.chdir(folder)\n"
        "    else:\n"
        "        m = mmap.mmap(os.open(folder + '/file', os.O_RDONLY), 0, prot=mmap.PROT_READ)\n"
        "    print('done', flush=True)\n"
    )

    def start() -> subprocess.Popen[str]:
        argv = [sys.executable, "-c", script]
        pipe = subprocess.PIPE
        return subprocess.Popen(argv, cwd="/", stdin=pipe, stdout=pipe, text=True)

    def tell(process: subprocess.Popen[str], where: str, folder: Path) -> None:
        folder.mkdir()
        (folder / "file").write_bytes(b"x")
        assert process.stdin is not None
        assert process.stdout is not None
        print(where, folder, file=process.stdin, flush=True)
        assert process.stdout.readline() == "done\n"

    uses = Uses(str(tmp_path))
    with start() as old:
        tell(old, "map", tmp_path / "one")
        assert uses.of(str(tmp_path)) == {"one": {old.pid}}
        tell(old, "cwd", tmp_path / "two")
        with start() as new:
            tell(new, "map", tmp_path / "three")
            found = {"one": {old.pid}, "two": {old.pid}, "three": {new.pid}}
            assert uses.of(str(tmp_path)) == found
            new.kill()
        old.kill()


def test_what_was_deleted_counts_though_something_stayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, tree = tmp_path / "1/gone", tmp_path / "1"
    gone.mkdir(parents=True)
    (gone / "large").write_bytes(bytes(200_000))
    (tree / "stays").write_bytes(bytes(200_000))
    remove = os.unlink

    def unlink(name: str, *, dir_fd: int | None = None) -> None:
        if name == "stays":
            raise PermissionError(errno.EPERM, "it is immutable")
        remove(name, dir_fd=dir_fd)

    weight = trash.weigh(str(gone))
    monkeypatch.setattr(os, "unlink", unlink)
    assert trash.delete(str(tree)) == weight >= 200_000
    assert [path.name for path in tree.iterdir()] == ["stays"]
