"""How the agent starts as another user: through sudo, its password given on standard input."""

from __future__ import annotations

import os
import shlex
import subprocess
import threading

from castoff.config.errors import ConfigError
from castoff.config.model import SudoPassword

_LIMIT = 60


def as_user(user: str, command: str, *, password: bool) -> str:
    """Return a command, for any login shell, that runs `command` as another user.

    Args:
        user: The user to become.
        command: A command of plain words and single quotes.
        password: Whether sudo reads a password from standard input; else it must not want one.
    """
    asks = "-S -p ''" if password else "-n"
    return f"sudo {asks} -H -u {shlex.quote(user)} -- {command}"


class Passwords:
    """Passwords by where they are found, each looked up once for all hosts."""

    def __init__(self) -> None:
        self._found: dict[SudoPassword, str] = {}
        self._lock = threading.Lock()

    def get(self, source: SudoPassword) -> str:
        """Return the password that castoff.toml says where to find.

        Raises:
            ConfigError: The variable is not set, the command fails, or there is nothing in it.
        """
        with self._lock:
            if source not in self._found:
                self._found[source] = _look_up(source)
            return self._found[source]


def _look_up(source: SudoPassword) -> str:
    if source.env is not None:
        password = os.environ.get(source.env, "")
        where = f"the environment variable {source.env}"
    else:
        password, where = _printed(source.command or ""), "its command's output"
    if not password.strip() or "\n" in password:
        raise ConfigError(
            f"sudo_password: {where} does not hold a password of one line",
            hint="See `sudo_password` in castoff.toml.",
        )
    return password


def _printed(command: str) -> str:
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=_LIMIT,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"sudo_password: its command did not end within {_LIMIT} s") from error
    except UnicodeDecodeError as error:
        raise ConfigError("sudo_password: its command prints something else than text") from error
    if done.returncode != 0:
        raise ConfigError(
            f"sudo_password: its command ended with status {done.returncode}",
            hint="What it said stands above.",
        )
    return done.stdout.partition("\n")[0]
