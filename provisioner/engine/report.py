"""What the engine says on its standard output: one JSON document a line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TextIO


class Report:
    """Writes lines that `castoff.provisioner.run` reads."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def thing(self, host: str, name: str, state: str, details: Sequence[str] = ()) -> None:
        """Say how a thing is, or what became of it."""
        self._say(event="thing", host=host, name=name, state=state, details=list(details))

    def unreachable(self, host: str, message: str, hint: str, code: str) -> None:
        """Say why a host cannot be worked on."""
        self._say(event="unreachable", host=host, message=message, hint=hint, code=code)

    def end(self) -> None:
        """Say that all was said."""
        self._say(event="end")

    def _say(self, **facts: object) -> None:
        self._stream.write(f"{json.dumps(facts)}\n")
        self._stream.flush()
