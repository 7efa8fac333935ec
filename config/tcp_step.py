"""What castoff.toml says of a step that connects to a port."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from castoff.config.table import Port, Seconds, Table, Text


class Tcp(Table):
    """`[environments.E.steps.tcp]`: a connection made on the host itself."""

    # As a number, or as text in which `{NAME}` stands for a variable.
    port: Port | Text
    host: Text = "127.0.0.1"
    # What the other side must say first, or something that holds it.
    banner: Text | None = None
    # Successes in a row that count as healthy, and the pause between two tries, in seconds.
    successes: Annotated[int, Field(ge=1, le=100)] = 1
    interval: Seconds = 0.5
