"""What castoff.toml says of a step that makes a request over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from castoff.config import rules
from castoff.config.errors import Misfit
from castoff.config.table import Seconds, Table, Text

_HEADER = re.compile(r"[0-9A-Za-z!#$%&'*+.^_`|~-]+")
HeaderText = Annotated[str, StringConstraints(pattern=r"^[^\r\n\x00]*$")]
Method = Annotated[str, StringConstraints(pattern=r"^[A-Z]+$")]


class Request(Table):
    """What every request says, whatever it is for."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
    method: Method = "GET"
    # Headers that are sent; `Host` is else that of the URL.
    request_headers: dict[str, HeaderText] = Field(default_factory=dict)
    # Where to connect to, as "address:port", whatever host the URL names.
    connect: Annotated[str, StringConstraints(pattern=r"^\S+:[^\s:]+$")] | None = None
    # Unix socket to connect to instead.
    unix: Annotated[str, StringConstraints(pattern=r"^/[^\x00]*$")] | None = None
    # File on the host with the authorities whose certificates count; default: the host's own.
    ca: Text | None = None
    # Whether the certificate of an https URL is checked; false takes any, as of a host that has
    # signed its own.
    verify: bool = True
    status: Annotated[int, Field(ge=100, le=599)] = 200

    @model_validator(mode="after")
    def _goes_one_way(self) -> Request:
        rules.require(_ways(self))
        return self


class Http(Request):
    """`[environments.E.steps.http]`: a request made on the host itself.

    `{version}` stands for the version being released in what the answer must be: so an answer of
    the version before is none.
    """

    # Text that the body must hold.
    contains: Text | None = None
    # Headers that the answer must have, each with exactly this value.
    headers: dict[str, HeaderText] = Field(default_factory=dict)
    # What the answer, in JSON, must hold: each key is a field, those within others by dots.
    json_fields: dict[str, str | int | float | bool] = Field(default_factory=dict)
    # Successes in a row that count as healthy, and the pause between two tries, in seconds.
    successes: Annotated[int, Field(ge=1, le=100)] = 1
    interval: Seconds = 0.5


def _ways(request: Request) -> Iterator[Misfit]:
    for name in request.request_headers:
        if _HEADER.fullmatch(name) is None:
            yield Misfit(("request_headers", name), f"{name!r} cannot be the name of a header")
    if request.connect is not None and request.unix is not None:
        yield Misfit(("unix",), "a request goes either to 'connect' or to 'unix'")
    if not request.url.startswith("https:") and (request.ca is not None or not request.verify):
        key = "ca" if request.ca is not None else "verify"
        yield Misfit((key,), "only an https URL has a certificate to check")
    if request.ca is not None and not request.verify:
        yield Misfit(("ca",), "a certificate that is not checked needs no 'ca'")
