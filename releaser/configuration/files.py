"""Which of an environment's configuration files belong to which host; no I/O."""

from __future__ import annotations

from typing import Any

from castoff.config.errors import ConfigError
from castoff.config.hosts import ResolvedHost
from castoff.config.model import ConfigFile, SecretFile
from castoff.config.placeholders import filled
from castoff.releaser.job import Scope
from castoff.releaser.steps import runs_on

# What a host gets: a rendered template, or secrets as they are.
HostFile = ConfigFile | SecretFile

_PRIVATE = "0600"
_USUAL = "0640"
# Whose files are judged by which program where castoff.toml does not say.
_READERS = (
    ("/etc/nginx/", "nginx"),
    ("/etc/systemd/system/", "systemd"),
    ("/etc/systemd/user/", "systemd"),
)


def files_on(scope: Scope, host: ResolvedHost) -> tuple[HostFile, ...]:
    """Return the files that a scope's app has on a host, their paths filled in.

    Raises:
        ConfigError: Two are to be in one place.
    """
    values = {"app": scope.app, "host": host.name}
    found: list[HostFile] = [
        file.model_copy(update={"path": filled(file.path, values)})
        for file in scope.environment.config
        if _is_for(file, scope, host)
    ]
    for one in scope.environment.secret_files:
        found += one.each(values) if _is_for(one, scope, host) else ()
    paths = [file.path for file in found]
    for path in paths:
        if paths.count(path) > 1:
            raise ConfigError(
                f"{host.name} is to have two files at {path}",
                hint=f"See `config` and `secret_files` of [environments.{scope.environment_name}].",
            )
    return tuple(found)


def _is_for(file: HostFile, scope: Scope, host: ResolvedHost) -> bool:
    return (not file.apps or scope.app in file.apps) and runs_on(file, host)


def places(scope: Scope, host: ResolvedHost) -> list[dict[str, Any]]:
    """Return where files are to be and whose, so that the host can say whether that may be."""
    return [
        {"path": file.path, "owner": file.owner, "group": file.group}
        for file in files_on(scope, host)
    ]


def secrets_in(scope: Scope) -> set[str]:
    """Return the names of the secrets that a scope's files hold."""
    return {name for host in scope.hosts for file in files_on(scope, host) for name in file.secrets}


def mode_of(file: HostFile) -> str:
    """Return a file's permissions in octal digits."""
    return file.mode or (_PRIVATE if file.secrets else _USUAL)


def check_of(file: HostFile) -> dict[str, Any] | None:
    """Return how a host is to judge a file; None for not at all."""
    if isinstance(file, SecretFile):
        return None
    check = file.check
    if check is None:
        check = next((program for top, program in _READERS if file.path.startswith(top)), "none")
    if check == "none":
        return None
    preset, _, main = check.partition(":")
    if check in ("nginx", "systemd") or (preset == "nginx" and main.startswith("/")):
        return {"kind": preset, "argument": main or None, "timeout": file.timeout}
    return {"kind": "command", "argument": check, "timeout": file.timeout}
