"""How many hosts are connected to at once: one option of every command that reaches them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from castoff.cli.tree import tree
from castoff.config.environment_tables import Environment

# They ask the store alone, or one host.
_NO_FLEET = frozenset(
    {"secrets", "lock", "unlock", "pin", "unpin", "ssh", "history", "report", "notes", "notify"}
)
# What else must be said before a command looks at its hosts.
_WORDS = {
    "logs": ["web.log"],
    "restore": ["an-id"],
    "run": ["true"],
    "verify": ["--env", "test"],
}
_TAKES_A_VERSION = frozenset({"plan", "preflight", "release", "prepare", "activate"})


def commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield the commands by the words that call them."""
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, (*words, name))
    if not getattr(command, "commands", {}):
        yield " ".join(words), command


def takes(command: Any, option: str) -> bool:
    """Whether a command has an option."""
    return any(option in parameter.opts for parameter in command.params)


ALL = dict(commands(typer.main.get_command(tree())))
REACHING = sorted(words for words, command in ALL.items() if takes(command, "--concurrency"))


def test_every_command_on_an_environments_hosts_has_the_option() -> None:
    about_hosts = {words for words, command in ALL.items() if takes(command, "--env")} - _NO_FLEET
    assert set(REACHING) == about_hosts | {"gc"}


class _Looked(Exception):
    """The command has come to its hosts."""


@pytest.mark.parametrize("words", REACHING)
def test_what_it_says_wins_over_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    (tmp_path / "castoff.toml").write_text(
        f"""
[store]
url = "file://{tmp_path}/store"

[apps.shop]

[environments.test]
fan_out = {{ concurrency = 3 }}
hosts = [{{ name = "web1", transport = "local", root = "{tmp_path}/hosts" }}]
"""
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    asked: list[int] = []

    def look(_app: str, environment: Environment, _base: Path) -> None:
        asked.append(environment.fan_out.concurrency)
        raise _Looked

    monkeypatch.setattr("castoff.cli.scope.resolve_hosts", look)
    version = ["1.0"] if words in _TAKES_A_VERSION else []
    for said in ([], ["--concurrency", "7"]):
        line = [*words.split(), *_WORDS.get(words, version), *said]
        found = CliRunner().invoke(tree(line[0]), line)
        assert isinstance(found.exception, _Looked), (found.output, found.exception)
    assert asked == [3, 7]
