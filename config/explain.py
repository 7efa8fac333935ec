"""From the model's own account of what does not fit to problems in plain words, with lines."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from castoff.config.app_tables import AS_TABLE, AS_TEXT
from castoff.config.errors import KeyPath, Misfit, Misfits, Problem
from castoff.config.inherit import Merged
from castoff.config.lines import Lines
from castoff.config.nearest import nearest
from castoff.config.schema import choices_at, holds_tables, keys_at

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 60
# Tables in which a password, or a URL that is as good as one, stands if it does anywhere.
_SILENT = frozenset({"backup", "env", "notify", "redis", "request_headers", "secrets"})

# What each kind of error says; filled in from the error's context.
_SENTENCES = {
    "string_type": "expected text",
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "bool_type": "expected true or false",
    "tuple_type": "expected a list",
    "dict_type": "expected a table",
    "model_type": "expected a table",
    "literal_error": "must be {expected}",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
}
_NAME = (
    "a name has small letters, digits and '-', starts with a letter or digit, "
    "and is at most 63 characters long"
)
# The first that fits counts.
_PATTERNS = {
    "^(/.+|": "must be host:port, or the absolute path of a socket",
    "^(/": "must start with '/', '~/', '.' or '{'",
    "^/[^/]": "must be an absolute path",
    "^(age1": "must be a public key: age1…, ssh-ed25519 … or ssh-rsa …",
    "^https?": "must be an http:// or https:// URL without white space",
    "^[a-z0-9]": _NAME,
    r"^/[^\x00]": "must be an absolute path",
    r"^\S+:": "must be written address:port",
    "^(rediss": "must be a URL as in redis://…, rediss://… or unix:///…",
    "^[A-Z]+": "must be in capital letters",
    "^[A-Z][": "must be a signal's name without SIG, as in 'HUP'",
    r"^[^\r\n": "must be of one line",
    "^[A-Za-z_]": "the name of a secret has letters, digits and '_', and no digit in front",
}


def explain(error: ValidationError, lines: Lines, merged: Merged) -> tuple[Problem, ...]:
    """Return one problem for each thing that the models found wrong.

    What an environment inherits is told where it was written, once.
    """
    found: list[Problem] = []
    details = [_told(one) for one in error.errors(include_url=False)]
    misspelt = {_meant(d["loc"]) for d in details if d["type"] == "extra_forbidden"}
    for one in details:
        # A key that is misspelt is also missing; to say both would be to say it twice.
        misspelt_here = one["type"] == "missing" and one["loc"] in misspelt
        # The models count the entries that fit; each of the others has its own problem.
        enough_here = one["type"] == "too_short" and one["input"]
        if misspelt_here or enough_here:
            continue
        if isinstance(_reason(one), Misfits):
            continue
        if _environment(merged.origin(one["loc"])) == _environment(one["loc"]):
            found.append(_problem_of({**one, "loc": merged.origin(one["loc"])}, lines))
    return (*found, *_of_misfits(details, lines, merged))


def _told(error: ErrorDetails) -> ErrorDetails:
    """Return an error whose place is one of the file, without which spelling was tried."""
    spellings = (AS_TEXT, AS_TABLE)
    return {**error, "loc": tuple(part for part in error["loc"] if part not in spellings)}


def explain_misfits(misfits: Iterable[Misfit], lines: Lines) -> tuple[Problem, ...]:
    """Return one problem for each misfit, whose paths start at the document's root."""
    return tuple(_problem(one.at, one.message, lines, suggestion=one.suggestion) for one in misfits)


def explain_row(error: ErrorDetails) -> str:
    """Return in words what is wrong with one row of a list of hosts that is not in the file."""
    place: KeyPath = ("environments", "NAME", "hosts")
    reason = _reason(error)
    if isinstance(reason, Misfits):
        return str(reason)
    problem = _problem_of({**error, "loc": (*place, *error["loc"])}, Lines({}))
    text = str(replace(problem, line=0)).removeprefix("0: ")
    if len(error["loc"]) == 1:
        return text.removeprefix("[environments.NAME] hosts: ")
    return text.removeprefix(f"[[{dotted(place)}]] ").replace(f"{dotted(place)}.", "")


def _reason(error: ErrorDetails) -> object:
    return error.get("ctx", {}).get("error")


def _environment(path: KeyPath) -> KeyPath:
    return path[:2] if path[:1] == ("environments",) else ()


def _of_misfits(details: list[ErrorDetails], lines: Lines, merged: Merged) -> Iterator[Problem]:
    """Yield what does not go together; of inherited parts only what is no fault of their own."""
    told: set[tuple[KeyPath, str]] = set()
    inherited: list[tuple[KeyPath, KeyPath, Misfit]] = []
    for one in details:
        reason = _reason(one)
        if not isinstance(reason, Misfits):
            continue
        for misfit in reason.misfits:
            path: KeyPath = (*one["loc"], *misfit.at)
            home, at = _environment(path), merged.origin(path)
            if home and home[1] in merged.broken:
                continue
            if _environment(at) == home:
                told.add((at, misfit.message))
                yield _problem(at, misfit.message, lines, suggestion=misfit.suggestion)
            else:
                inherited.append((home, at, misfit))
    for home, at, misfit in inherited:
        if (at, misfit.message) not in told:
            message = f"{misfit.message} (inherited from {at[1]!r})"
            yield _problem((*home, "inherits"), message, lines)


def _meant(path: KeyPath) -> KeyPath:
    return (*path[:-1], nearest(str(path[-1]), keys_at(path[:-1])))


def _problem_of(error: ErrorDetails, lines: Lines) -> Problem:
    path = error["loc"]
    if error["type"] == "extra_forbidden":
        message = f"unknown key {str(path[-1])!r}"
        return _problem(path, message, lines, suggestion=str(_meant(path)[-1]))
    if error["type"] == "missing":
        return _problem(path, _missing(path), lines)
    if path[-1:] == ("[key]",):
        return _problem(path[:-1], f"{str(path[-2])!r}: {_sentence(error)}", lines)
    return _wrong_value(error, lines)


def _missing(path: KeyPath) -> str:
    return "needs a table [apps.NAME]" if path == ("apps",) else f"missing key {str(path[-1])!r}"


def _wrong_value(error: ErrorDetails, lines: Lines) -> Problem:
    path, value = error["loc"], error["input"]
    sentence = _sentence(error)
    if error["type"] == "tuple_type" and holds_tables(path):
        sentence = f"expected a list of tables, each written [[{dotted(path)}]]"
    shown = _kind(value) if _SILENT.intersection(path[:-1]) else _spelling(value)
    got = "" if error["type"] in ("string_too_short", "too_short") else f", got {shown}"
    suggestion = nearest(value, choices_at(path)) if isinstance(value, str) else ""
    name = next((part for part in reversed(path) if isinstance(part, str)), "")
    return _problem(path, f"{name}: {sentence}{got}", lines, suggestion=suggestion)


def _sentence(error: ErrorDetails) -> str:
    context: Mapping[str, Any] = error.get("ctx", {})
    if error["type"] == "string_pattern_mismatch":
        pattern = str(context["pattern"])
        return next(text for start, text in _PATTERNS.items() if pattern.startswith(start))
    if error["type"] == "value_error":
        return str(context["error"])
    return _SENTENCES[error["type"]].format_map({key: _short(one) for key, one in context.items()})


def _short(value: object) -> object:
    """Return a limit as a person writes it: 0, not 0.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _problem(path: KeyPath, message: str, lines: Lines, *, suggestion: str = "") -> Problem:
    table = _table(path)
    prefix = f"{table} " if table else ""
    return Problem(lines.of(path), _key(path), prefix + message, suggestion)


def _table(path: KeyPath) -> str:
    """Return the header of the table that a path's key belongs to, as it is written."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    path = path[:-1]
    if not path:
        return ""
    return f"[[{dotted(path)}]]" if isinstance(path[-1], int) else f"[{dotted(path)}]"


def dotted(path: KeyPath) -> str:
    """Return a path as a TOML key, without the indexes of its arrays."""
    return ".".join(_quoted(part) for part in path if isinstance(part, str))


def _key(path: KeyPath) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{_quoted(part)}"
    return text.removeprefix(".")


def _quoted(part: str) -> str:
    return part if _BARE.fullmatch(part) else json.dumps(part, ensure_ascii=False)


def _spelling(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"
        return f"text {json.dumps(text, ensure_ascii=False)}"
    if isinstance(value, (int, float)):
        return f"number {value}"
    return _kind(value)


def _kind(value: object) -> str:
    for kind, words in (
        (bool, "true or false"),
        (str, "text"),
        ((int, float), "a number"),
        (tuple, "a list"),
        (dict, "a table"),
        ((dt.date, dt.time), "a date or time"),
    ):
        if isinstance(value, kind):
            return words
    return "something else"
