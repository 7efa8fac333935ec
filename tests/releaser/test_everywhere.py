"""A person's own command on all hosts is spoken of as what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.releaser.errors import CommandFailed, HostError, Mixed
from castoff.releaser.everywhere import run_everywhere
from support.engine import go
from support.local_scope import make_scope


def test_a_command_that_takes_too_long_or_fails_is_no_step_of_the_configuration(
    tmp_path: Path,
) -> None:
    scope = make_scope(tmp_path, [], hosts=1)
    go(scope, "release", "1")
    with pytest.raises(CommandFailed) as late:
        run_everywhere(scope, "sleep 60", lambda *_: None, timeout=0.2)
    assert "web1: the command did not end within 0.2 s" in late.value.message
    assert late.value.hint == "Give it more time: castoff run --timeout SECONDS"
    with pytest.raises(CommandFailed) as failed:
        run_everywhere(scope, "exit 3", lambda *_: None, timeout=60)
    assert "web1: the command failed with exit status 3" in failed.value.message
    assert "step" not in failed.value.message


def test_what_fails_forth_and_back_alike_is_told_once() -> None:
    twice = [HostError("web1", "step 'health' failed"), HostError("web1", "step 'health' failed")]
    assert Mixed("MIXED", twice).message == "MIXED\n  web1: step 'health' failed"
