from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from support.agent_client import AgentClient, AgentFailure, Message, agent, open_request
from support.archives import Artifact
from support.limits import cut_short, written
from support.processes import has_ended


def run(client: AgentClient, command: str, *, timeout: float = 20, **env: str) -> Message:
    return client.ask(
        "run", version="1.0", name="migrate", command=command, env=env, timeout=timeout
    )


@pytest.fixture
def prepared(root: Path, shop: Artifact) -> Path:
    with agent(root) as client:
        client.ask("prepare", archive=shop.archive, **shop.request())
    return root


def wait_until_gone(pid: int) -> None:
    while not has_ended(pid):
        time.sleep(0.02)


def overrun(client: AgentClient, command: str, *begun: Path) -> None:
    """Run what does not end by itself, and see that it is told so once its time is over."""

    def run_for(limit: float) -> None:
        with pytest.raises(AgentFailure, match=rf"within {limit:g} s") as caught:
            run(client, command, timeout=limit)
        assert caught.value.code == "step-timeout"

    cut_short(run_for, *begun)


def test_a_step_runs_in_its_release_and_says_how_it_ended(prepared: Path) -> None:
    with agent(prepared) as client:
        result = run(client, "pwd -P; bin/shop")
        assert result["status"] == 0
        assert result["seconds"] >= 0
        assert client.output == f"{prepared.resolve()}/releases/1.0\nshop 1.0\n"


def test_how_a_step_ended_is_known_where_ends_of_children_are_ignored(
    prepared: Path, tmp_path: Path
) -> None:
    # Not all shells hand it on.
    python = tmp_path / "python"
    python.write_text(
        f"#!{sys.executable}\n"
        "import os, signal, sys\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])\n"
    )
    python.chmod(0o755)
    client = AgentClient(str(python))
    client.ask("open", **open_request(prepared))
    with pytest.raises(AgentFailure, match="failed with exit status 3"):
        run(client, "exit 3")
    assert client.close() == b""


def test_a_step_sees_a_clean_environment_and_what_it_was_given(prepared: Path) -> None:
    client = AgentClient(env={"LEAKED": "yes", "HOME": "/home/x", "LC_ALL": "C"})
    client.ask("open", **open_request(prepared))
    run(client, "env", LANG="de_DE.UTF-8", GREETING="grüß\ndich", PORT="8000")
    seen = client.output
    assert client.close() == b""
    names = {line.partition("=")[0] for line in seen.splitlines() if "=" in line}
    assert names - {"PWD", "OLDPWD", "SHLVL", "_"} == {
        "PATH",
        "HOME",
        "USER",
        "LANG",
        "CASTOFF_ROOT",
        "CASTOFF_RELEASE",
        "CASTOFF_SHARED",
        "GREETING",
        "PORT",
    }
    assert "HOME=/home/x\n" in seen
    assert "LANG=de_DE.UTF-8\n" in seen
    assert "GREETING=grüß\ndich\n" in seen
    assert f"CASTOFF_ROOT={prepared}\n" in seen
    assert f"CASTOFF_RELEASE={prepared}/releases/1.0\n" in seen
    assert f"CASTOFF_SHARED={prepared}/shared\n" in seen


def test_a_step_has_no_input(prepared: Path) -> None:
    with agent(prepared) as client:
        run(client, "cat; read line || echo nothing")
        assert client.output == "nothing\n"


def test_output_comes_while_the_step_runs(prepared: Path, tmp_path: Path) -> None:
    proceed = tmp_path / "proceed"
    heard: list[str] = []

    def listen(event: Message) -> None:
        heard.append(event["text"])
        proceed.touch()

    with agent(prepared) as client:
        client.on_event = listen
        run(client, f"echo first >&2; while [ ! -e {proceed} ]; do sleep 0.02; done; echo second")
    assert heard == ["first\n", "second\n"]


def test_a_step_that_fails_is_named_with_its_status(prepared: Path) -> None:
    with agent(prepared) as client:
        with pytest.raises(AgentFailure, match="'migrate' failed with exit status 3") as caught:
            run(client, "echo why; exit 3")
        assert caught.value.code == "step-failed"
        assert client.output == "why\n"
        with pytest.raises(AgentFailure, match="'migrate' was ended by SIGSEGV"):
            run(client, "kill -SEGV $$")
        with pytest.raises(AgentFailure, match="exit status 127"):
            run(client, "no-such-command")


def test_a_step_of_a_release_that_is_not_there_is_missing(prepared: Path) -> None:
    with agent(prepared) as client, pytest.raises(AgentFailure) as caught:
        client.ask("run", version="9.9", name="x", command="true", env={}, timeout=1)
    assert caught.value.code == "missing"


def test_the_time_limit_ends_the_whole_group(prepared: Path, tmp_path: Path) -> None:
    child, leader = tmp_path / "child", tmp_path / "leader"
    command = f"sleep 300 & echo $! > {child}; echo $$ > {leader}; wait"
    with agent(prepared) as client:
        overrun(client, command, child, leader)
        for name in (child, leader):
            wait_until_gone(int(name.read_text()))


def test_whoever_leaves_the_group_and_goes_on_printing_does_not_hold_it_up(
    prepared: Path, tmp_path: Path
) -> None:
    with agent(prepared) as client:
        command = f"setsid sh -c 'echo $$ > {tmp_path}/pid; exec yes' & sleep 300"
        overrun(client, command, tmp_path / "pid")
    # Its output is closed now, and so it ends at its next line.
    wait_until_gone(int((tmp_path / "pid").read_text()))


def test_a_step_may_tidy_up_when_its_time_is_over(prepared: Path, tmp_path: Path) -> None:
    tidy = f"trap 'echo tidied; exit 0' TERM; echo > {tmp_path}/begun; sleep 300 & wait"
    with agent(prepared) as client:
        overrun(client, tidy, tmp_path / "begun")
        assert client.output.endswith("tidied\n")


def test_a_group_that_will_not_end_is_killed(prepared: Path, tmp_path: Path) -> None:
    stubborn = "trap '' TERM; echo $$ > {}; while :; do sleep 0.1; done"
    child, leader = tmp_path / "child", tmp_path / "leader"
    script = tmp_path / "child.sh"
    script.write_text(stubborn.format(child))
    with agent(prepared) as client:
        overrun(client, f"sh {script} & {stubborn.format(leader)}", child, leader)
        for name in (child, leader):
            wait_until_gone(int(name.read_text()))
        run(client, "true")


def test_a_server_left_in_the_background_does_not_hold_the_step_up(
    prepared: Path, tmp_path: Path
) -> None:
    with agent(prepared) as client:
        # It keeps the step's output open, and it is in another session, as daemons are.
        result = run(client, f"setsid sh -c 'echo $$ > {tmp_path}/pid; sleep 300' & echo started")
        assert result["status"] == 0
        assert client.output == "started\n"
        assert written(tmp_path / "pid", within=60)
        pid = int((tmp_path / "pid").read_text())
        assert not has_ended(pid)
        os.killpg(pid, signal.SIGKILL)


def test_a_background_process_does_not_hold_the_hosts_lock(prepared: Path, tmp_path: Path) -> None:
    with agent(prepared) as client:
        run(client, f"setsid sh -c 'echo $$ > {tmp_path}/pid; exec sleep 300' >/dev/null 2>&1 &")
    with agent(prepared):
        pass
    assert written(tmp_path / "pid", within=60)
    os.killpg(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_a_step_that_closes_its_output_is_still_waited_for(prepared: Path, tmp_path: Path) -> None:
    with agent(prepared) as client:
        run(client, f"exec >&- 2>&-; sleep 0.3; : > {tmp_path}/done")
    assert (tmp_path / "done").exists()


def test_every_event_is_small_whatever_is_printed(prepared: Path) -> None:
    command = (
        "python3 -c \"import sys; w = sys.stdout.buffer.write; w(b'a' * 30_000 + b'\\n'); "
        "w(bytes(20_000)); w('\\U0001f600'.encode() * 9_000); w(b'\\xff\\xfe\\n'); w(b'end')\""
    )
    with agent(prepared) as client:
        sizes: list[int] = []
        client.on_event = lambda event: sizes.append(len(repr(event)))
        start = len(client.heard)
        run(client, command)
        lines = bytes(client.heard[start:]).splitlines()
        assert max(len(line) for line in lines) <= 8192
        assert client.output == (
            "a" * 30_000 + "\n" + "\0" * 20_000 + "\U0001f600" * 9_000 + "\ufffd\ufffd\nend"
        )


def test_endless_output_is_cut_in_the_middle(prepared: Path) -> None:
    with agent(prepared) as client:
        run(client, "yes 0123456789 | head -c 8000000; echo; echo the last line")
        assert len(client.heard) < 4_000_000
        assert "characters of output were left out here]\n" in client.output
        assert client.output.endswith("the last line\n")


def test_what_comes_right_after_the_limit_is_heard_too(prepared: Path) -> None:
    with agent(prepared) as client:
        run(client, "head -c 2500000 /dev/zero | tr '\\0' a; echo; echo the last line")
        assert client.output == "a" * 2_500_000 + "\nthe last line\n"


def test_no_line_is_cut_in_two(prepared: Path) -> None:
    with agent(prepared) as client:
        run(client, "yes 0123456789 | head -n 800000")
        lines = client.output.splitlines()
        assert len(lines) < 800_000
        assert {line for line in lines if "left out" not in line} == {"0123456789"}


def test_a_controller_that_does_not_listen_does_not_lift_the_time_limit(
    prepared: Path, tmp_path: Path
) -> None:
    pid, command = tmp_path / "pid", f"echo $$ > {tmp_path}/pid; exec yes"
    client = AgentClient()
    client.ask("open", **open_request(prepared))

    def run_for(limit: float) -> None:
        client.post("run", version="1.0", name="chatty", command=command, env={}, timeout=limit)
        if written(pid, within=limit + 1):
            wait_until_gone(int(pid.read_text()))
        with pytest.raises(AgentFailure) as caught:
            client.answer()
        assert caught.value.code == "step-timeout"

    cut_short(run_for, pid)
    assert client.close() == b""


@pytest.mark.parametrize("hang_up", [signal.SIGHUP, None])
def test_a_running_step_finishes_when_the_controller_is_gone(
    hang_up: Any, prepared: Path, tmp_path: Path
) -> None:
    started, done, proceed = tmp_path / "started", tmp_path / "done", tmp_path / "proceed"
    command = (
        f": > {started}; while [ ! -e {proceed} ]; do echo on; sleep 0.02; done; "
        f"echo more; : > {done}"
    )
    client = AgentClient()
    client.ask("open", **open_request(prepared))
    client.post("run", version="1.0", name="s", command=command, env={}, timeout=20)
    while not started.exists():
        time.sleep(0.02)
    client.hang_up()
    client.process.stdout.close()  # type: ignore[union-attr]
    if hang_up is not None:
        client.process.send_signal(hang_up)
    proceed.touch()
    assert client.wait() == 0
    assert done.exists()
    assert client.close() == b""
    assert '"what": "run", "outcome": "done"' in (prepared / ".castoff/journal.jsonl").read_text()
