"""Commands in hints go where the command itself went."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer.main

from castoff.cli.hints import OF_AN_ENVIRONMENT, WITHOUT_PROJECT, as_called
from castoff.cli.tree import tree


@pytest.mark.parametrize(
    ("called", "hint", "told"),
    [
        ("status", "castoff release VERSION", "castoff release VERSION"),
        ("status -e prod", "castoff release VERSION", "castoff release --env prod VERSION"),
        ("status --env=prod", "See `castoff status`.", "See `castoff status --env prod`."),
        ("status -eprod", "castoff lock, or castoff build", "castoff lock, or castoff build"),
        (
            "rollback 1 --env prod",
            "castoff resume --env prod, or castoff abort",
            "castoff resume --env prod, or castoff abort --env prod",
        ),
        (
            "status --env p --app s -c a",
            "castoff status, castoff push",
            "castoff status --env p --app s --config a, castoff push --app s --config a",
        ),
        ("status -e prod", "castoff maintenance off", "castoff maintenance off --env prod"),
        ("status -e 'p q'", "castoff status", "castoff status --env 'p q'"),
        ("run -e prod -- tool -e x", "castoff status", "castoff status --env prod"),
        ("status --app s -c a", "castoff init, castoff cache", "castoff init, castoff cache"),
        ("status -e prod", "Write castoff.toml.", "Write castoff.toml."),
        ("status -e", "castoff status", "castoff status"),
    ],
)
def test_a_hint_can_be_typed_as_it_stands(called: str, hint: str, told: str) -> None:
    assert as_called(hint, shlex.split(called)) == told


def test_the_commands_of_environments_are_those_that_take_one() -> None:
    root: Any = typer.main.get_command(tree())
    options = {name: _options(command) for name, command in root.commands.items()}
    assert {name for name, taken in options.items() if "--env" in taken} == {
        *OF_AN_ENVIRONMENT,
        "lock",
        # Of a version as a rule.
        "verify",
    }
    assert {name for name, taken in options.items() if "--config" not in taken} == WITHOUT_PROJECT


def test_each_command_gets_options_that_it_takes_and_behind_its_whole_name() -> None:
    root: Any = typer.main.get_command(tree())
    commands = {
        f"castoff {name} {inner}".strip(): one
        for name, command in root.commands.items()
        if name not in WITHOUT_PROJECT
        for inner, one in getattr(command, "commands", {"": command}).items()
    }
    assert "castoff keys add" in commands
    for name, command in commands.items():
        told = as_called(name, ["--env", "v", "--app", "v", "--config", "v"])
        assert told.startswith(name)
        assert set(told.removeprefix(name).split()) <= {"v", *_options(command)}, name


def _options(command: Any) -> set[str]:
    parts = getattr(command, "commands", {}).values() or [command]
    return set.union(*({name for one in part.params for name in one.opts} for part in parts))
