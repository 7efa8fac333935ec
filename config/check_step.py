"""What castoff.toml says of a step that asks a command whether all is well."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from castoff.config.table import Seconds, Table, Text


class Check(Table):
    """`[environments.E.steps.check]`: a command that is asked until all is well."""

    # Run by /bin/sh -c in the release's directory; exit status 0 says that all is well.
    command: Text
    # Successes in a row that count as healthy, and the pause between two tries, in seconds.
    successes: Annotated[int, Field(ge=1, le=100)] = 1
    interval: Seconds = 0.5
