"""What the parts of a notification owe each other, and the secrets that they name; no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from castoff.config.errors import KeyPath, Misfit
from castoff.config.nearest import nearest
from castoff.config.placeholders import names_in

if TYPE_CHECKING:
    from castoff.config.environment_tables import Environment
    from castoff.config.notify_tables import Email, Notification

_WAYS = ("webhook", "slack", "email", "command")


def email(table: Email) -> Iterator[Misfit]:
    """Yield what is wrong with a password that anybody could read, or that is nobody's."""
    if table.password_secret is None:
        return
    if table.user is None:
        yield Misfit(("user",), "'password_secret' needs 'user', whose password it is")
    if table.tls == "none":
        yield Misfit(("tls",), "'none' would send the password in the clear")


def notification(table: Notification) -> Iterator[Misfit]:
    """Yield what is wrong with one that goes no way, or two."""
    given = [way for way in _WAYS if getattr(table, way) is not None]
    if len(given) != 1:
        yield Misfit(
            (),
            f"notification {table.name!r} needs one of 'webhook', 'slack', 'email' and 'command', "
            f"and has {' and '.join(map(repr, given)) or 'none'}",
        )
    elif table.secrets and table.command is None:
        yield Misfit(("secrets",), "are variables of a 'command'; this is none")


def environment(env: Environment) -> Iterator[Misfit]:
    """Yield notifications with one name, and secrets that there are not."""
    names = [one.name for one in env.notify]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Misfit(("notify", index, "name"), f"two notifications are named {name!r}")
    for index, one in enumerate(env.notify):
        for at, secret in secrets_of(one):
            if secret not in env.secrets:
                yield Misfit(
                    ("notify", index, *at),
                    f"notification {one.name!r} wants the secret {secret!r}, which is not under "
                    "[environments.NAME.secrets]",
                    nearest(secret, env.secrets),
                )


def secrets_of(table: Notification) -> Iterator[tuple[KeyPath, str]]:
    """Yield the name of each secret that a notification needs, and where it stands."""
    for index, name in enumerate(table.secrets):
        yield ("secrets", index), name
    if table.webhook is not None:
        for name in names_in(table.webhook.url):
            yield ("webhook", "url"), name
        for header, text in table.webhook.headers.items():
            for name in names_in(text):
                yield ("webhook", "headers", header), name
        if table.webhook.hmac_secret is not None:
            yield ("webhook", "hmac_secret"), table.webhook.hmac_secret
    if table.slack is not None:
        yield ("slack", "url_secret"), table.slack.url_secret
    if table.email is not None and table.email.password_secret is not None:
        yield ("email", "password_secret"), table.email.password_secret
