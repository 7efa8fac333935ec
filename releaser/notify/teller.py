"""Tell of runs in all the ways that an environment has, at once, each with a time of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from castoff.config.model import Environment, Notification
from castoff.config.notify_rules import secrets_of
from castoff.releaser.notify.attempt import NotSent, Patience
from castoff.releaser.notify.message import Message
from castoff.releaser.secrets.errors import NotFound
from castoff.releaser.secrets.secrets import Secrets

# Seconds between two looks at whether a notification has been sent, and how long one whose time
# is up may go on: a look-up of a name cannot be interrupted.
_LOOK = 0.2
_GRACE = 1.0


class Teller:
    """Sends in the background; `wait` returns what could not be sent."""

    def __init__(self, environment: Environment, base: Path | None) -> None:
        """Take an environment, and the folder of castoff.toml."""
        self._environment = environment
        self._base = base or Path.cwd()
        self._sent: list[_Sending] = []
        self._finding = threading.Lock()
        self._found: Mapping[str, str | NotFound] | None = None

    def tell(self, message: Message) -> None:
        """Begin to send a message in each of the ways that it is for."""
        self.send(message, [one for one in self._environment.notify if message.occasion in one.on])

    def send(self, message: Message, ways: Iterable[Notification]) -> None:
        """Begin to send a message in these ways."""
        self._sent += (_Sending(way, message, self._secrets, self._base) for way in ways)

    def wait(self) -> list[str]:
        """Return a line for each message that could not be sent, once all have been tried."""
        told = [line for sending in self._sent if (line := sending.wait())]
        self._sent.clear()
        return told

    def _secrets(self) -> Mapping[str, str | NotFound]:
        # Apart from those of the run itself: one that cannot be had must not keep a release.
        with self._finding:
            if self._found is None:
                from castoff.releaser.secrets.find import try_all

                names = {name for one in self._environment.notify for _, name in secrets_of(one)}
                known = self._environment.secrets
                wanted = {name: known[name] for name in sorted(names) if name in known}
                self._found = try_all(wanted, self._base)
            return self._found


class _Sending:
    """One message on one way."""

    def __init__(
        self,
        way: Notification,
        message: Message,
        secrets: Callable[[], Mapping[str, str | NotFound]],
        base: Path,
    ) -> None:
        self._way = way
        self._message = message
        self._secrets = secrets
        self._base = base
        self._patience: Patience | None = None
        self._trouble: str | None = None
        # A daemon: what hangs keeps nobody from ending.
        self._thread = threading.Thread(target=self._run, name=f"notify-{way.name}", daemon=True)
        self._thread.start()

    def wait(self) -> str:
        """Return what is to be told once it is sent or its time is up; nothing if it was sent."""
        while self._thread.is_alive():
            self._thread.join(_LOOK)
            patience = self._patience
            if self._thread.is_alive() and patience is not None and patience.left < -_GRACE:
                return self._line(f"it did not come to its end within {patience.limit:g} s")
        return "" if self._trouble is None else self._line(self._trouble)

    def _line(self, why: str) -> str:
        told, name = self._message, self._way.name
        what = "start" if told.occasion == "started" else "end"
        again = (
            f"; try again: castoff notify {told.number} --env {told.environment} --to {name}"
            if told.number is not None
            else ""
        )
        return f"notification {name!r} of the run's {what} was not sent: {why}{again}"

    def _run(self) -> None:
        try:
            found = self._secrets()
            for _, name in secrets_of(self._way):
                failure = found.get(name)
                if isinstance(failure, NotFound):
                    self._trouble = f"the secret {name} cannot be had: {failure.why}"
                    return
            secrets = Secrets({name: one for name, one in found.items() if isinstance(one, str)})
            self._patience = Patience(self._way.timeout)
            _send(self._way, self._message, secrets, self._patience, self._base)
        except NotSent as failure:
            self._trouble = str(failure)
        except Exception as error:  # noqa: BLE001 (whatever it is, the release has its outcome)
            # Its text may hold a secret.
            self._trouble = f"a defect in Castoff: {type(error).__name__}"


def _send(
    way: Notification, message: Message, secrets: Secrets, patience: Patience, base: Path
) -> None:
    # Each with its own import: a run without notifications loads none of them.
    if way.webhook is not None:
        from castoff.releaser.notify import webhook

        webhook.send(way.webhook, message, secrets, patience)
    elif way.slack is not None:
        from castoff.releaser.notify import slack

        slack.send(way.slack, message, secrets, patience)
    elif way.email is not None:
        from castoff.releaser.notify import mail

        mail.send(way.email, message, secrets, patience)
    elif way.command is not None:
        from castoff.releaser.notify import command

        command.send(way.command, way.secrets, message, secrets, patience, folder=base)
