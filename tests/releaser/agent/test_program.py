"""Programs of built-in steps: bytes in and out, as somebody else, never longer than they may."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from castoff.releaser.agent.builtins.deadline import Deadline
from castoff.releaser.agent.builtins.program import Program, run
from castoff.releaser.agent.errors import AgentError

PATH = {"PATH": os.environ["PATH"]}


def lasting(seconds: float = 30) -> Deadline:
    return Deadline("db", seconds)


def test_more_than_any_pipe_holds_goes_through_both_ways() -> None:
    blocks = [os.urandom(300_000) for _ in range(8)]
    with Program(["cat"], environment=PATH, deadline=lasting(), takes=True) as cat:
        assert b"".join(cat.turns(iter(blocks))) == b"".join(blocks)


def test_one_that_fails_or_leaves_early_is_told_with_its_last_words() -> None:
    argv = ["sh", "-c", "read -r line; echo no such thing >&2; exit 3"]
    with (
        Program(argv, environment=PATH, deadline=lasting(), takes=True) as early,
        pytest.raises(AgentError, match="sh failed with exit status 3: no such thing"),
    ):
        list(early.turns(iter([b"x\n" * 500_000] * 3)))
    with (
        Program(["true"], environment=PATH, deadline=lasting(), takes=True) as idle,
        pytest.raises(AgentError, match="before it had taken everything"),
    ):
        list(idle.turns(iter([b"x" * 500_000] * 3)))
    with pytest.raises(AgentError, match="'nowhere' is not on this host"):
        run(["nowhere"], environment=PATH, deadline=lasting())


@pytest.mark.parametrize("takes", [False, True])
def test_one_that_hangs_ends_in_time_with_all_that_it_started(tmp_path: Path, takes: bool) -> None:
    argv = ["sh", "-c", f"sleep 600 & echo $! >{tmp_path}/pid; wait"]
    with (
        Program(argv, environment=PATH, deadline=lasting(1), takes=takes) as slow,
        pytest.raises(AgentError) as caught,
    ):
        list(slow.turns(iter([b"x" * 500_000])) if takes else slow.gives())
    assert caught.value.code == "step-timeout"
    number = (tmp_path / "pid").read_text().strip()
    state = Path(f"/proc/{number}/stat")
    assert not state.exists() or ") Z " in state.read_text()


@pytest.mark.parametrize("by", ["root", "sudo"])
def test_it_becomes_somebody_else_and_has_its_variables_and_its_input(
    by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0 or shutil.which("sudo") is None:
        pytest.skip("needs root, and sudo")
    if by == "sudo":
        # Who is not root goes by way of sudo, which lets root do that without a password.
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    secret = 'it\'s a "secret" \\ $HOME\n\n  of several lines'
    script = 'id -un; echo "$PGPASSWORD"; cat; tr "\\0" " " </proc/$PPID/cmdline'
    said = run(
        ["sh", "-c", script],
        environment={**PATH, "PGPASSWORD": secret},
        deadline=lasting(),
        user="nobody",
        given=b"\\n rows\nmore rows\n",
    )
    assert said.startswith(f"nobody\n{secret}\n\\n rows\nmore rows\n")
    assert secret not in said.replace(f"{secret}\n", "", 1)


def test_a_sudo_that_refuses_before_it_has_heard_anything_is_told_in_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = tmp_path / "sudo"
    refusing.write_text("#!/bin/sh\nexec <&-\necho sudo: a password is required >&2\nexit 1\n")
    refusing.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    # More than a pipe holds, so that nobody can have taken it.
    environment = {"PATH": path, **{f"KEY{n}": "x" * 100_000 for n in range(3)}}
    for given in (None, b"rows"):
        with pytest.raises(AgentError, match="exit status 1: sudo: a password is required"):
            run(["id"], environment=environment, deadline=lasting(), user="nobody", given=given)
