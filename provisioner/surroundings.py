"""What is filled into the texts of a host: the app, its folder there, and who does what."""

from __future__ import annotations

from dataclasses import dataclass

from castoff.config.hosts import ResolvedHost
from castoff.config.model import Provision
from castoff.config.placeholders import filled


@dataclass(frozen=True, slots=True)
class Surroundings:
    """One app on one host.

    Attributes:
        user: The user that the app runs as.
        releaser: The user that owns the app's folder: who Castoff's agent works as in a release.
        login: Who logs in for a release.
    """

    app: str
    environment: str
    host: ResolvedHost
    user: str
    releaser: str
    login: str

    @property
    def socket(self) -> str:
        """Where the app listens unless it is told otherwise."""
        return f"/run/{self.app}/{self.app}.sock"

    def fill(self, text: str) -> str:
        """Return a text of castoff.toml with its placeholders filled in."""
        return filled(
            text,
            {
                "app": self.app,
                "host": self.host.name,
                "root": self.host.root,
                "user": self.user,
                "socket": self.socket,
            },
        )


def surroundings(
    app: str, environment: str, host: ResolvedHost, provision: Provision, *, login: str
) -> Surroundings:
    """Return who does what on a host: the app's user, and the one who releases."""
    releaser = host.sudo or login
    user = releaser if provision.user is None else provision.user.name or app
    return Surroundings(app, environment, host, user=user, releaser=releaser, login=login)
