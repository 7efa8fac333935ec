"""One thing that a host is to have, as a value: what the engine gets, and tells of by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["user", "directory", "packages", "python", "file", "unit", "site", "firewall"]


@dataclass(frozen=True, slots=True)
class Thing:
    """A user, a folder, a file; all that the engine needs to know to make it so.

    Attributes:
        name: What people call it: `user shop`, `unit shop.service`.
        kind: Which of the engine's modules sees to it.
        options: What that module wants to know, as JSON has it.
    """

    name: str
    kind: Kind
    options: Mapping[str, object]
