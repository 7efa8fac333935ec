"""What castoff.toml says of the git tags that releases leave in the repository."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, PlainValidator

from castoff.config import values
from castoff.config.placeholders import only
from castoff.config.table import Seconds, Table, Text

TagName = Annotated[Text, AfterValidator(only("app", "environment", "n", "version"))]
_PERSON = re.compile(r"[^<>\x00-\x1f]*[^<>\x00-\x20] <[^<>\x00-\x20]+>")


def _person(text: str) -> str:
    if _PERSON.fullmatch(text) is None:
        raise ValueError("must be a name and an address, as in 'Releases <releases@example.com>'")
    return text


Remote = Annotated[bool | str, PlainValidator(values.remote)]


class Tag(Table):
    """`[environments.E.tag]`: an annotated git tag for each version that went live on all hosts.

    It is made in the repository of castoff.toml, on the commit that the version was built from.
    """

    # `{n}` is the number in the history; `{app}`, `{environment}` and `{version}` are the others.
    name: TagName = "release/{environment}/{n}"
    # Remote that it is pushed to; true is `origin`.
    push: Remote = False
    # Who tags; default: as git is configured, else whoever released.
    tagger: Annotated[str, AfterValidator(_person)] | None = None
    # Seconds that a push may take.
    timeout: Seconds = 60
