"""JSON on standard output, for programs."""

from __future__ import annotations

import json
from typing import Any

import typer


def print_json(value: Any) -> None:
    """Print one document, indented, keys in the order given."""
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))
