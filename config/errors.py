"""What is wrong with a castoff.toml: every problem at once, each with its line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from castoff.store.errors import CastoffError, ExitCode

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        line: Line in the file, from 1.
        key: Where in the document, as `environments.production.hosts[1].port`; empty for the
            file as a whole.
        message: What is wrong there, with the table's name in front.
        suggestion: The name that was probably meant, or empty.
        column: Column in the line, from 1, where the file is not TOML; else None.
    """

    line: int
    key: str
    message: str
    suggestion: str = ""
    column: int | None = None

    def __str__(self) -> str:
        """Return `LINE: message; did you mean 'name'?`."""
        place = f"{self.line}" if self.column is None else f"{self.line}:{self.column}"
        question = f"; did you mean {self.suggestion!r}?" if self.suggestion else ""
        return f"{place}: {self.message}{question}"


class ConfigError(CastoffError):
    """The configuration cannot be used: unreadable, not TOML, or not what the models allow.

    Attributes:
        problems: All that were found, in order of their lines; empty where the trouble has no
            line, such as a missing file.
    """

    exit_code = ExitCode.CONFIG

    def __init__(self, message: str, *, hint: str = "", problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.problems = problems


def broken_file(path: Path, problems: Iterable[Problem]) -> ConfigError:
    """Return the error that lists all problems of one file, one a line."""
    ordered = tuple(sorted(problems, key=lambda problem: (problem.line, problem.key)))
    return ConfigError(
        "\n".join(f"{path}:{problem}" for problem in ordered),
        hint="docs/reference/configuration.md describes every key.",
        problems=ordered,
    )


@dataclass(frozen=True, slots=True)
class Misfit:
    """Two parts of a table that are well formed, but do not go together.

    Attributes:
        at: Where the user should look, counted from the table that was checked.
        message: What is wrong.
        suggestion: The name that was probably meant, or empty.
    """

    at: KeyPath
    message: str
    suggestion: str = ""


class Misfits(ValueError):
    """All misfits of one table; a ValueError, as the models' validators must raise."""

    def __init__(self, misfits: tuple[Misfit, ...]) -> None:
        super().__init__("; ".join(misfit.message for misfit in misfits))
        self.misfits = misfits
