"""What castoff.toml says of whom to tell about a run, and how."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from castoff.config import notify_rules, rules
from castoff.config.secret_tables import SecretName
from castoff.config.table import Address, Name, Port, Seconds, Table, Text
from castoff.store.outcomes import Outcome

Occasion = Literal[Outcome, "started"]
# RFC 9110, 5.6.2: a field's name is a token.
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://", "{")) or not text.isprintable() or " " in text:
        raise ValueError("must be an http:// or https:// URL, or {NAME} of a secret that is one")
    return text


def _one_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be one line of what can be printed")
    return text


def _header(text: str) -> str:
    if _TOKEN.fullmatch(text) is None:
        raise ValueError("is no name of an HTTP header")
    return text


def _mailbox(text: str) -> str:
    if not text.isprintable() or "@" not in text.strip("@"):
        raise ValueError("must be an address such as ops@example.com or Ops <ops@example.com>")
    return text


HeaderName = Annotated[str, AfterValidator(_header)]
Line = Annotated[Text, AfterValidator(_one_line)]
Mailbox = Annotated[str, AfterValidator(_mailbox)]


class Webhook(Table):
    """`[environments.E.notify.webhook]`: a POST of the message as JSON.

    `{NAME}` in the URL and in headers is filled in from `[environments.E.secrets]`.
    """

    url: Annotated[Text, AfterValidator(_url)]
    headers: dict[HeaderName, Line] = Field(default_factory=dict)
    # Name of the secret that signs the body, so that the receiver knows who sent it: the header
    # is `sha256=` and the HMAC-SHA256 in small hexadecimal digits (WebSub, 7).
    hmac_secret: SecretName | None = None
    hmac_header: HeaderName = "X-Hub-Signature-256"


class Slack(Table):
    """`[environments.E.notify.slack]`: an incoming webhook as Slack's, of whatever program."""

    # Name of the secret that is its URL: whoever has that may write there.
    url_secret: SecretName


class Email(Table):
    """`[environments.E.notify.email]`: a message by way of an SMTP server."""

    host: Address
    # Default: 587 for `starttls`, 465 for `tls`, 25 for `none`.
    port: Port | None = None
    # `tls` from the first byte, `starttls` before anything is said, or `none`.
    tls: Literal["starttls", "tls", "none"] = "starttls"
    user: Line | None = None
    # Name of the secret that is the user's password.
    password_secret: SecretName | None = None
    sender: Mailbox
    recipients: Annotated[tuple[Mailbox, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _keeps_its_password(self) -> Email:
        rules.require(notify_rules.email(self))
        return self


class Notification(Table):
    """`[[environments.E.notify]]`: one way to tell of a run, and of which runs.

    It is sent when the run is over and its lock is free. One that fails is told in a line, and
    changes nothing else.
    """

    name: Name
    # What came of the run, as the history calls it, or that it has begun.
    on: Annotated[tuple[Occasion, ...], Field(min_length=1)] = (
        "released",
        "rolled back",
        "mixed",
        "failed",
        "interrupted",
    )
    webhook: Webhook | None = None
    slack: Slack | None = None
    email: Email | None = None
    # Run by /bin/sh -c beside castoff.toml, with the JSON on standard input.
    command: Text | None = None
    # Names of the secrets that the command has as variables.
    secrets: tuple[SecretName, ...] = ()
    # Seconds that it may take, tries and pauses between them among it.
    timeout: Seconds = 10

    @model_validator(mode="after")
    def _goes_one_way(self) -> Notification:
        rules.require(notify_rules.notification(self))
        return self
