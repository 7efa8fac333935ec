"""A person's own command on all hosts is spoken of as what it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from castoff.releaser.errors import CommandFailed, HostError, Mixed
from castoff.releaser.operations.everywhere import run_everywhere
from castoff.releaser.secrets.named import chosen_secrets
from castoff.store.errors import UsageError
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


def test_a_command_has_the_secrets_that_it_is_given_and_shows_none(tmp_path: Path) -> None:
    said: list[str] = []
    (tmp_path / "s").write_text("hunter2")
    scope = replace(
        make_scope(tmp_path, [], hosts=1, secrets={"S": {"file": "s"}, "T": {"file": "t"}}),
        base=tmp_path,
    )
    go(scope, "release", "1")
    run_everywhere(
        scope,
        'printf %s "$S" > "$CASTOFF_SHARED/has"; echo "it is $S and ${T-none}"; printf "$S $S"',
        lambda _, line: said.append(line),
        timeout=60,
        secrets=chosen_secrets(scope, ["S"]),
    )
    assert said == ["it is *** and none", "*** ***"]
    assert (Path(scope.hosts[0].root) / "shared" / "has").read_text() == "hunter2"
    with pytest.raises(UsageError, match="no secret 'SS'; did you mean 'S'"):
        chosen_secrets(scope, ["SS"])


def test_what_fails_forth_and_back_alike_is_told_once() -> None:
    twice = [HostError("web1", "step 'health' failed"), HostError("web1", "step 'health' failed")]
    assert Mixed("MIXED", twice).message == "MIXED\n  web1: step 'health' failed"
