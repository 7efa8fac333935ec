from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.agent.interpreter import choose
from castoff.releaser.agent.parameters import Parameters
from castoff.releaser.agent.target import Target, loader_version
from support.agent_client import AgentClient, AgentFailure, agent, open_request

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"


def target(**changes: Any) -> dict[str, Any]:
    return {
        "python": MINOR,
        "exact_python": False,
        "requires_python": "",
        "machine": "",
        "glibc": "",
        **changes,
    }


def test_a_reader_creates_nothing_and_sees_an_empty_host(root: Path) -> None:
    with agent() as client:
        answer = client.ask("open", **open_request(root, lock=False))
    assert answer["state"] == {
        "current": None,
        "good": None,
        "previous": None,
        "releases": [],
        "intent": None,
        "color": None,
        "colors": {},
        "maintenance": False,
        "quarantine": None,
        "configured": False,
        "edited": [],
    }
    assert not root.parent.exists()


def test_facts_say_what_the_host_is(tmp_path: Path) -> None:
    with agent() as client:
        facts = client.ask("open", **open_request(tmp_path, lock=False))["facts"]
    assert facts["machine"] == platform.machine()
    assert facts["hostname"] == platform.node()
    assert facts["python"] == platform.python_version()
    assert facts["interpreter"] is None
    free = os.statvfs(tmp_path)
    assert facts["free_bytes"] == pytest.approx(free.f_bavail * free.f_frsize, rel=0.05)
    assert facts["free_inodes"] > 0


def test_opening_with_the_lock_makes_the_layout_and_names_the_owner(root: Path) -> None:
    with agent(root, owner="ann@desk"):
        assert {p.name for p in root.iterdir()} == {".castoff", "releases", "shared"}
        assert "ann@desk" in (root / ".castoff/lock").read_text()
        assert (root / "releases").stat().st_mode & 0o777 == 0o755


def test_a_root_below_the_home_folder_is_found(tmp_path: Path) -> None:
    client = AgentClient(env={"HOME": str(tmp_path)})
    client.ask("open", **open_request("~/apps/shop"))
    assert client.close() == b""
    assert (tmp_path / "apps/shop/releases").is_dir()


@pytest.mark.parametrize("root", ["relative/folder", "/", "", "//", "~ann/x"])
def test_a_root_that_is_no_absolute_folder_is_refused(root: str) -> None:
    with agent() as client, pytest.raises(AgentFailure) as caught:
        client.ask("open", **open_request(root))
    assert caught.value.code == "invalid"


def test_a_second_agent_is_told_who_is_at_work(root: Path) -> None:
    with agent(root, owner="ann@desk"), agent() as second:
        with pytest.raises(AgentFailure, match="ann@desk") as caught:
            second.ask("open", **open_request(root, owner="bob@desk"))
        assert caught.value.code == "busy"
        assert second.ask("open", **open_request(root, lock=False))["state"]["current"] is None


def test_the_lock_ends_with_the_agent_even_if_it_is_killed(root: Path) -> None:
    first = AgentClient()
    first.ask("open", **open_request(root))
    first.process.kill()
    first.close()
    with agent(root):
        pass


def test_one_agent_may_open_again(root: Path) -> None:
    with agent(root) as client:
        client.ask("open", **open_request(root, token=2))


def test_a_controller_whose_lease_was_taken_over_is_stale(root: Path) -> None:
    with agent(root, token=7):
        pass
    with agent() as client:
        with pytest.raises(AgentFailure) as caught:
            client.ask("open", **open_request(root, token=6))
        assert caught.value.code == "stale"
        client.ask("open", **open_request(root, token=7))


def test_a_stale_controller_does_not_keep_the_lock(root: Path) -> None:
    with agent(root, token=7):
        pass
    with agent() as client:
        with pytest.raises(AgentFailure):
            client.ask("open", **open_request(root, token=6))
        with agent(root, token=8):
            pass


def test_a_damaged_state_is_named(root: Path) -> None:
    with agent(root):
        pass
    for text in ("{", "[]", '{"good": 1}'):
        (root / ".castoff/state.json").write_text(text)
        with agent() as client, pytest.raises(AgentFailure, match=r"state\.json") as caught:
            client.ask("open", **open_request(root))
        assert caught.value.code == "corrupt"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become somebody else")
def test_a_folder_that_may_not_be_made_is_named_with_the_user() -> None:
    from castoff.releaser.bundle import bootstrap, bundle

    place = Path("/var/empty-for-castoff-test")
    request = (
        f'{{"id": 1, "op": "open", "root": "{place}", "token": 1, "owner": "x", "lock": true}}'
    )
    done = subprocess.run(
        ["/bin/sh", "-c", bootstrap("/usr/bin/python3")],
        input=f"{len(bundle())}\n".encode() + bundle() + request.encode() + b"\n",
        stdout=subprocess.PIPE,
        user="nobody",
        cwd="/",
        check=True,
    )
    assert b'"permission"' in done.stdout
    assert str(place).encode() in done.stdout
    assert b"as user nobody" in done.stdout


def test_a_file_where_the_root_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with agent() as client, pytest.raises(AgentFailure, match="not a folder") as caught:
        client.ask("open", **open_request(tmp_path / "file"))
    assert caught.value.code == "invalid"


def test_a_current_that_something_else_made_is_refused(root: Path) -> None:
    root.mkdir(parents=True)
    (root / "current").symlink_to("/srv/elsewhere/20240101")
    with agent() as client, pytest.raises(AgentFailure, match="Castoff's releases") as caught:
        client.ask("open", **open_request(root))
    assert caught.value.code == "invalid"
    (root / "current").unlink()
    (root / "current").mkdir()
    with agent() as client, pytest.raises(AgentFailure, match="Castoff's releases"):
        client.ask("open", **open_request(root))


def test_too_little_space_is_found_before_anything_is_done(root: Path) -> None:
    with agent() as client, pytest.raises(AgentFailure, match="MB needed") as caught:
        client.ask("open", **open_request(root, need=1 << 60))
    assert caught.value.code == "no-space"
    assert not root.exists()


@pytest.mark.parametrize("wrong", [{"machine": "vax"}, {"glibc": "99.1"}, {"musl": "9.1"}])
def test_another_platform_is_refused(wrong: dict[str, str], root: Path) -> None:
    with agent() as client, pytest.raises(AgentFailure) as caught:
        client.ask("open", **open_request(root, target=target(**wrong)))
    assert caught.value.code == "platform"
    assert next(iter(wrong.values())) in caught.value.message


def test_a_platform_that_fits_is_taken(root: Path) -> None:
    fitting = target(machine=platform.machine(), glibc="2.1" if platform.libc_ver()[0] else "")
    with agent(root, target=fitting):
        pass


def test_musl_is_known_by_what_its_loader_says(tmp_path: Path) -> None:
    said = "printf 'musl libc (x86_64)\\nVersion 1.2.5-git\\nDynamic Program Loader\\n' >&2; exit 1"
    assert loader_version(script(tmp_path / "lib", "ld-musl-x86_64.so.1", said)) == "1.2.5"
    assert loader_version(script(tmp_path / "lib", "other", "echo Version 1.2.5")) is None
    assert loader_version(str(tmp_path / "nothing")) is None


def script(folder: Path, name: str, text: str) -> str:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_the_interpreter_of_the_minor_version_is_preferred(tmp_path: Path, root: Path) -> None:
    script(tmp_path / "bin", "python3.7", "echo 3 7 1 /opt/python3.7")
    script(tmp_path / "bin", "python3", "echo 3 12 1 /opt/python3")
    client = AgentClient(sys.executable, env={"PATH": str(tmp_path / "bin")})
    wanted = open_request(root, lock=False, target=target(python="3.7"))
    assert client.ask("open", **wanted)["facts"]["interpreter"] == "/opt/python3.7"
    assert client.close() == b""


def test_python3_is_taken_if_it_satisfies(tmp_path: Path, root: Path) -> None:
    script(tmp_path / "bin", "python3.7", "exit 127")
    script(tmp_path / "bin", "python3", "echo 3 12 1 /opt/python3")
    client = AgentClient(sys.executable, env={"PATH": str(tmp_path / "bin")})
    for fits in (
        target(python="3.7"),
        target(python="3.13", requires_python=">=3.9"),
        target(python="3.12", requires_python="something new"),
        target(python="3.12", exact_python=True),
    ):
        wanted = open_request(root, lock=False, target=fits)
        assert client.ask("open", **wanted)["facts"]["interpreter"] == "/opt/python3"
    for wrong in (
        target(python="3.13"),
        target(python="3.7", requires_python=">=3.7,<3.12"),
        target(python="3.11", exact_python=True),
        target(python="3.12", exact_python=True, requires_python=">=3.12.2"),
    ):
        with pytest.raises(AgentFailure, match=r"3\.12\.1") as caught:
            client.ask("open", **open_request(root, lock=False, target=wrong))
        assert caught.value.code == "python"
    assert client.close() == b""


def test_the_abi_of_its_extensions_decides_where_the_version_does_not(
    tmp_path: Path, root: Path
) -> None:
    script(tmp_path / "free", "python3.13t", "echo 3 13 5t /opt/python3.13t")
    script(tmp_path / "free", "python3.13", "echo 3 13 5t /opt/python3.13t")
    script(tmp_path / "both", "python3", "echo 3 13 5 /opt/python3")
    needs: list[tuple[dict[str, object], str]] = [
        ({"python": "3.13", "exact_python": True, "abi": "cp313t"}, "/opt/python3.13t"),
        ({"python": "3.13", "exact_python": True}, "/opt/python3"),
        ({"python": "3.13", "abi": "abi3"}, "/opt/python3"),
        ({"python": "3.13"}, "/opt/python3.13t"),
    ]
    client = AgentClient(sys.executable, env={"PATH": f"{tmp_path}/free:{tmp_path}/both"})
    for need, expected in needs:
        wanted = open_request(root, lock=False, target=target(**need))
        assert client.ask("open", **wanted)["facts"]["interpreter"] == expected
    assert client.close() == b""


def test_what_is_there_and_what_is_lacking_say_their_abi(tmp_path: Path, root: Path) -> None:
    free = script(tmp_path / "bin", "free", "echo 3 13 5t /opt/python3.13t")
    ordinary = script(tmp_path / "bin", "ordinary", "echo 3 13 5 /opt/python3.13")
    exact = target(python="3.13", exact_python=True)
    for need, python, said in (
        (exact, free, rf"needs Python 3\.13 \(.*\); found {free}: 3\.13\.5t$"),
        (
            {**exact, "abi": "cp313t"},
            ordinary,
            rf"needs Python 3\.13t .*; found {ordinary}: 3\.13\.5$",
        ),
        (target(python="3.13", abi="abi3"), free, r"needs Python >=3\.13 with a global lock"),
    ):
        with agent() as client, pytest.raises(AgentFailure, match=said) as caught:
            client.ask("open", **open_request(root, lock=False, target=need, python=python))
        assert caught.value.code == "python"


def test_an_interpreter_that_was_named_is_the_only_one_tried(tmp_path: Path, root: Path) -> None:
    old = script(tmp_path / "bin", "old", "echo 3 6 0 /opt/old")
    with agent() as client:
        wanted = open_request(root, lock=False, target=target(), python=sys.executable)
        assert client.ask("open", **wanted)["facts"]["interpreter"]
        for python in (old, "/nowhere/python3", str(tmp_path)):
            with pytest.raises(AgentFailure) as caught:
                client.ask("open", **open_request(root, target=target(), python=python))
            assert caught.value.code == "python"
            assert python in caught.value.message


def test_the_python_that_runs_the_agent_is_not_started_to_be_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []
    run = subprocess.run

    def asking(argv: list[str], **options: Any) -> Any:
        asked.append(argv)
        return run(argv, **options)

    monkeypatch.setattr("subprocess.run", asking)
    wanted = Target(Parameters(target()))
    link = tmp_path / "python3"
    link.symlink_to(sys.executable)
    assert choose(wanted, str(link)) == str(link)
    assert asked == []
    other = script(tmp_path, "other", f'exec {sys.executable} "$@"')
    assert choose(wanted, other) == sys.executable
    assert [argv[0] for argv in asked] == [other]


def test_a_release_without_python_needs_none(tmp_path: Path, root: Path) -> None:
    client = AgentClient(sys.executable, env={"PATH": str(tmp_path)})
    wanted = open_request(root, lock=False, target=target(python=""))
    assert client.ask("open", **wanted)["facts"]["interpreter"] is None
    assert client.close() == b""
