"""What the user's `~/.ssh/config` says of a host: the part of ssh_config(5) that matters here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import paramiko
from paramiko.ssh_exception import ConfigParseError, CouldNotCanonicalize

from castoff.config.errors import ConfigError
from castoff.releaser.transports.ssh_library import make_ready_for

USER_FILE = Path("~/.ssh/config")
_LINE = re.compile(r"\s*(?P<key>\w+)(?:\s*=\s*|\s+)(?P<value>.+?)\s*")
# As OpenSSH; files that include each other must end somewhere.
_DEEPEST = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """What is said of one host; None and empty where nothing is.

    Attributes:
        address: `HostName`, or the name that was asked for.
        jump: `ProxyJump`, without `none`.
        command: `ProxyCommand`, without `none`.
        known_hosts: `UserKnownHostsFile`.
        only_keys: `IdentitiesOnly`.
        timeout: `ConnectTimeout` in seconds.
    """

    address: str
    user: str | None = None
    port: int | None = None
    keys: tuple[Path, ...] = ()
    only_keys: bool = False
    jump: str | None = None
    command: str | None = None
    known_hosts: tuple[Path, ...] = ()
    timeout: float | None = None


class SshConfig:
    """One file with all that it includes; a file that is not there says nothing.

    Raises:
        ConfigError: It cannot be read, or is not an SSH configuration.
    """

    def __init__(self, path: Path = USER_FILE) -> None:
        self._path = path.expanduser()
        text = "\n".join(_lines(self._path, 0)) if self._path.is_file() else ""
        make_ready_for(text)
        try:
            self._config = paramiko.SSHConfig.from_text(text) if text else None
        except ConfigParseError as error:
            raise self._unfit(error) from error

    def of(self, name: str) -> Entry:
        """Return what the file says of a host by the name that a user would type.

        Raises:
            ConfigError: A value is not what ssh_config(5) allows, or needs more than Castoff has.
        """
        if self._config is None:
            return Entry(name)
        try:
            found = self._config.lookup(name)
            port, timeout = found.get("port"), found.get("connecttimeout")
            return Entry(
                address=str(found["hostname"]),
                user=found.get("user"),
                port=None if port is None else int(port),
                keys=tuple(_path(text) for text in found.get("identityfile", ())),
                only_keys=found.get("identitiesonly", "no").casefold() == "yes",
                jump=_unless_none(found.get("proxyjump")),
                command=_unless_none(found.get("proxycommand")),
                known_hosts=tuple(
                    _path(text) for text in shlex.split(found.get("userknownhostsfile", ""))
                ),
                timeout=None if timeout in (None, "none") else float(timeout),
            )
        except (ValueError, ConfigParseError, CouldNotCanonicalize, ImportError) as error:
            raise self._unfit(error) from error

    def _unfit(self, error: BaseException) -> ConfigError:
        return ConfigError(
            f"{self._path}: {error}",
            hint="Mend it; `ssh -G HOST` shows what OpenSSH makes of it.",
        )


def _lines(path: Path, depth: int) -> Iterator[str]:
    """Yield a file's lines with those of the files that it includes in their places."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    block = "Host *"
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        key = match["key"].casefold() if match else ""
        if match is None or key != "include":
            block = line.strip() if key in ("host", "match") else block
            yield line
            continue
        if depth == _DEEPEST:
            raise ConfigError(f"{path}: files include each other without end")
        for pattern in shlex.split(match["value"]):
            place = Path(pattern).expanduser()
            base = place.anchor or str(USER_FILE.expanduser().parent)
            for included in sorted(Path(base).glob(str(place).removeprefix(place.anchor))):
                yield from _lines(included, depth + 1)
        # What follows belongs to the block around the line again.
        yield block


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _unless_none(text: str | None) -> str | None:
    return None if text is None or text.casefold() == "none" else text
