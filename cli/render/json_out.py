"""JSON on standard output, for programs."""

from __future__ import annotations

import codecs
import json
import sys
from typing import Any

import typer


def print_json(value: Any) -> None:
    """Print one document, indented, keys in the order given.

    Where it cannot be written as UTF-8 (RFC 8259, 8.1), by a terminal of another encoding or for a
    file's name that is no text, it is written in ASCII.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False)
    if not (text.isascii() or _fits(text)):
        text = json.dumps(value, indent=2)
    typer.echo(text)


def _fits(text: str) -> bool:
    if codecs.lookup(sys.stdout.encoding).name != "utf-8":
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
