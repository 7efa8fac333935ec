"""What the tables of `provision` must be, and owe each other; no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from castoff.config.errors import Misfit

if TYPE_CHECKING:
    from castoff.config.provision_tables import Nginx, Provision, Unit

# As adduser(8) on Debian takes them (NAME_REGEX in adduser.conf(5)), and dots as in useradd(8).
_SYSTEM_NAME = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
# As systemd.unit(5) says, without what a shell or a path would take for its own.
_UNIT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9:_.@-]*")
_KINDS = (".service", ".socket", ".timer", ".path", ".target")
# Words of `provision` that say nothing of what is to be on the hosts.
_AROUND = frozenset({"command", "check_command", "timeout", "login", "sudo_password"})


def absolute(text: str) -> str:
    """Return an absolute path in its shortest spelling.

    Raises:
        ValueError: It is none, or has `..`, white space or what cannot be printed in it.
    """
    bad = any(c.isspace() or not c.isprintable() for c in text)
    if not text.startswith("/") or ".." in PurePosixPath(text).parts or bad:
        raise ValueError("must be an absolute path without '..' and white space")
    return str(PurePosixPath(text))


def system_name(text: str) -> str:
    """Return the name of a user or group on a host as it is.

    Raises:
        ValueError: It is none that Debian would take.
    """
    if _SYSTEM_NAME.fullmatch(text) is None:
        raise ValueError("must be a name of small letters, digits, '_', '.' and '-'")
    return text


def unit_name(text: str) -> str:
    """Return the name of a systemd unit, with `.service` where it has no ending.

    Raises:
        ValueError: It is none.
    """
    if _UNIT.fullmatch(text) is None:
        raise ValueError("must be the name of a systemd unit, such as 'shop.service'")
    return text if text.endswith(_KINDS) else f"{text}.service"


def one_line(text: str) -> str:
    """Return a text that goes into a file of its own syntax as it is.

    Raises:
        ValueError: It is empty, or would be more than one line there.
    """
    if not text.strip() or not text.isprintable():
        raise ValueError("must be one line of text")
    return text


def nginx(table: Nginx) -> Iterator[Misfit]:
    """Yield what is wrong with half of a certificate."""
    if (table.certificate is None) != (table.certificate_key is None):
        yield Misfit(("certificate",), "TLS needs both 'certificate' and 'certificate_key'")


def unit(table: Unit) -> Iterator[Misfit]:
    """Yield what is wrong with a unit that does nothing."""
    if table.template is not None:
        return
    if not table.name.endswith(".service"):
        yield Misfit(("template",), f"unit {table.name!r} is no service, so it needs 'template'")
    elif table.command is None:
        yield Misfit(("command",), f"unit {table.name!r} needs 'command' or 'template'")


def provision(table: Provision) -> Iterator[Misfit]:
    """Yield what is wrong with two descriptions of one host, or with a repeated unit."""
    if table.command is None:
        if table.check_command is not None:
            yield Misfit(("check_command",), "needs 'command', which it checks for")
    else:
        others = sorted(table.model_fields_set - _AROUND)
        for key in others:
            yield Misfit((key,), f"'command' provisions in place of Castoff: take {key!r} out")
    names = [one.name for one in table.units]
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Misfit(("units", index, "name"), f"two units are named {name!r}")
    if table.firewall is not None and table.firewall.allow is None and table.nginx is None:
        yield Misfit(("firewall", "allow"), "needs the ports that may be reached: no nginx is here")
