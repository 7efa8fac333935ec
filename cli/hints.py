"""Hints that can be typed as they stand: with the environment, app and file of the command itself.

What a hint names is told by modules that do not know how they were called. Typed as it stands,
`castoff release VERSION` would go to the default environment, not to the one that is in trouble.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

# The commands that reach an environment. (`castoff lock` in a hint is about dependencies.)
OF_AN_ENVIRONMENT = frozenset(
    {
        "abort",
        "activate",
        "backup",
        "backups",
        "converge",
        "history",
        "logs",
        "maintenance",
        "notes",
        "notify",
        "pin",
        "plan",
        "preflight",
        "prepare",
        "provision",
        "prune",
        "release",
        "report",
        "restore",
        "resume",
        "rollback",
        "run",
        "secrets",
        "ssh",
        "status",
        "unlock",
        "unpin",
    }
)
WITHOUT_PROJECT = frozenset({"init", "cache"})
# Signers are those of all apps.
_WITHOUT_APP = frozenset({"keys add"})
_OPTIONS = {"--env": "-e", "--app": "", "--config": "-c"}
# Options belong to the commands of a group, and not to the group.
_COMMAND = re.compile(
    r"\bcastoff ([a-z]+)((?<=keys) (?:add|list)\b|(?<=maintenance) (?:on|off)\b)?(?![\w-])"
)


def as_called(hint: str, words: Sequence[str]) -> str:
    """Return a hint whose commands have the options that say where, as a command line has them.

    Args:
        hint: What to do, with commands in it.
        words: The command line, without the program's name.
    """
    given = {option: value for option in _OPTIONS if (value := _given(option, words))}
    found = list(_COMMAND.finditer(hint))
    starts = [*(match.start() for match in found), len(hint)]
    text = hint[: starts[0]]
    for match, end in zip(found, starts[1:], strict=True):
        rest = hint[match.end() : end]
        missing = [
            f" {option} {shlex.quote(value)}"
            for option, value in given.items()
            if _takes(match[1], match[2] or "", option) and f"{option} " not in rest
        ]
        text += match[0] + "".join(missing) + rest
    return text


def _takes(command: str, inner: str, option: str) -> bool:
    if option == "--app" and f"{command}{inner}" in _WITHOUT_APP:
        return False
    if option == "--env":
        return command in OF_AN_ENVIRONMENT
    return command not in WITHOUT_PROJECT


def _given(option: str, words: Sequence[str]) -> str:
    """Return the last value that a command line gives an option; empty if none."""
    return next(reversed(list(_values(option, words))), "")


def _values(option: str, words: Sequence[str]) -> Iterator[str]:
    short = _OPTIONS[option]
    for at, word in enumerate(words):
        if word == "--":
            return
        if word in {option, short} - {""}:
            yield from words[at + 1 : at + 2]
        elif word.startswith(f"{option}="):
            yield word.partition("=")[2]
        elif short and word.startswith(short):
            yield word.removeprefix(short).removeprefix("=")
