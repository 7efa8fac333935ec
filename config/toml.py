"""Reading a TOML file that a person wrote, with errors that a person can use."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from castoff.config.errors import ConfigError, Problem, broken_file

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
# The parser's words for what is hard to guess; the rest of its messages are plain enough.
_PLAIN = (
    ("Invalid value", "no value of TOML (text needs quotes)"),
    ("Cannot overwrite", "this key is set already"),
    ("Cannot declare", "this table is there already"),
    ("Cannot redefine", "this table is there already"),
    ("Cannot mutate", "this table is complete already and cannot be added to"),
)


NotToml = tomllib.TOMLDecodeError


def parse(text: str) -> dict[str, Any]:
    """Return the document of a TOML text.

    Raises:
        NotToml: It is none.
    """
    return tomllib.loads(text)


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """Return a file's text and the document that it holds.

    Raises:
        ConfigError: The file is missing, cannot be read, is not UTF-8, or is not TOML; the last
            two with the line.
    """
    text = _decode(path, _bytes(path))
    try:
        return text, parse(text)
    except tomllib.TOMLDecodeError as error:
        raise broken_file(path, [_syntax(text, str(error))]) from error
    except RecursionError as error:
        raise ConfigError(f"{path}: lists or tables are nested too deeply") from error


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise ConfigError(
            f"{path}: there is no such file",
            hint="'castoff init' writes a castoff.toml that fits the project.",
        ) from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _decode(path: Path, data: bytes) -> str:
    try:
        # Some editors put a byte order mark in front; it says nothing.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = Problem(line, "", "the text is not UTF-8; save it in that encoding")
        raise broken_file(path, [problem]) from error


def _syntax(text: str, message: str) -> Problem:
    place = _PLACE.search(message)
    said = message[: place.start()] if place else message
    plain = next((plain for start, plain in _PLAIN if said.startswith(start)), None)
    line, column = _end(text)
    if place is not None and place[1] is not None:
        line, column = int(place[1]), int(place[2])
    elif said.startswith("Invalid value"):
        plain = "the file ends where a value should stand"
    return Problem(line, "", f"not TOML: {plain or said[:1].lower() + said[1:]}", column=column)


def _end(text: str) -> tuple[int, int]:
    """Return line and column right after the last thing that stands in a text."""
    lines = text.rstrip().split("\n")
    return len(lines), len(lines[-1]) + 1
