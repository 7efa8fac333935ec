"""What the keys of a configuration file's table owe each other."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING

from castoff.config import secret_rules, values
from castoff.config.errors import Misfit
from castoff.config.nearest import nearest

if TYPE_CHECKING:
    from castoff.config.config_tables import ConfigFile
    from castoff.config.environment_tables import Environment

PRESETS = ("nginx", "systemd", "none")
_FILE = "{file}"


def file_path(path: str) -> str:
    """Return a path on the host, or in the release, in its shortest spelling.

    Raises:
        ValueError: It is no path of a file, or could lead out of the release.
    """
    if not path.startswith("/"):
        return values.inside(path)
    if path.endswith("/") or ".." in path.split("/") or "\0" in path:
        raise ValueError("must be the path of a file, without '..'")
    return "/" + posixpath.normpath(path).lstrip("/")


def check(text: str) -> str:
    """Return how a file is judged as it is.

    Raises:
        ValueError: It is neither one of the presets nor a command about the file.
    """
    preset, colon, main = text.partition(":")
    if preset == "nginx" and colon and main.startswith("/"):
        return text
    if text in PRESETS or _FILE in text:
        return text
    raise ValueError(
        "must be 'nginx', 'nginx:' and the absolute path of its main file, 'systemd' or 'none', "
        "or a command in which {file} stands for the file"
    )


def config_file(one: ConfigFile) -> Iterator[Misfit]:
    """Yield what is wrong with a file that is to be judged where nothing reads it."""
    preset = (one.check or "").partition(":")[0]
    if preset in ("nginx", "systemd") and not one.path.startswith("/"):
        yield Misfit(("check",), f"{preset} does not read files in a release: {one.path!r}")


def environment(env: Environment) -> Iterator[Misfit]:
    """Yield what does not fit among an environment's files, hosts and secrets."""
    roles = sorted({role for host in env.hosts for role in host.roles})
    for number, one in enumerate(env.config):
        what = f"the file {one.path!r}"
        at = ("config", number)
        yield from secret_rules.known((*at, "secrets"), what, one.secrets, env.secrets)
        for index, role in enumerate(one.roles):
            if role not in roles and env.hosts_from is None:
                yield Misfit(
                    (*at, "roles", index),
                    f"{what} is for role {role!r}, which no host has",
                    nearest(role, roles),
                )
