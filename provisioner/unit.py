"""The file of a systemd unit; no I/O but a project's own template."""

from __future__ import annotations

from pathlib import Path

from castoff.config.model import Unit
from castoff.config.paths import local_path
from castoff.provisioner.rendered import rendered
from castoff.provisioner.surroundings import Surroundings


def unit_text(unit: Unit, around: Surroundings, base: Path, *, releases: bool) -> str:
    """Return the text of a unit's file.

    Args:
        unit: The unit.
        around: The app and its host.
        base: Folder of castoff.toml, where templates are.
        releases: Whether the app writes into folders of its releases (`writable`).

    Raises:
        ConfigError: The project's template cannot be rendered.
    """
    root = around.host.root
    writable = [f"{root}/shared", *([f"{root}/releases"] if releases else []), *unit.writable]
    values: dict[str, object] = {
        "app": around.app,
        "environment": around.environment,
        "host": around.host,
        "root": root,
        "socket": around.socket,
        "description": f"{around.app}: {unit.name.rpartition('.')[0]}",
        "user": unit.user or around.user,
        "type": unit.type,
        "command": "" if unit.command is None else _exec(around.fill(unit.command), root),
        "env": {name: _assignment(name, value) for name, value in unit.env.items()},
        "env_file": None if unit.env_file is None else around.fill(unit.env_file),
        # With a dash: a folder that is not there yet keeps the service from nothing.
        "writable": [f"-{path}" for path in writable],
        "umask": around.host.umask,
    }
    own = None if unit.template is None else local_path(unit.template, base)
    return rendered("unit.service", values, own=own)


def _exec(command: str, root: str) -> str:
    """Return a command as `ExecStart` takes it: systemd looks for no program below a folder."""
    whole = command if command.startswith("/") else f"{root}/current/{command}"
    return whole.replace("%", "%%")


def _assignment(name: str, value: str) -> str:
    """Return a variable as systemd.exec(5) reads it, in quotes and with nothing to expand."""
    text = f"{name}={value}".replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"'
