from __future__ import annotations

import json
import subprocess
from pathlib import Path

from support.agent_client import AgentClient, agent
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
