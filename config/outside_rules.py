"""That no file outside of releases is of two apps, whose releases would overwrite it in turn."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, TypeAlias

from castoff.config.errors import KeyPath, Misfit
from castoff.config.placeholders import filled

if TYPE_CHECKING:
    from castoff.config.config_tables import ConfigFile
    from castoff.config.environment_tables import Environment
    from castoff.config.model import Config
    from castoff.config.secret_file_tables import SecretFile

    AnyFile: TypeAlias = ConfigFile | SecretFile


def config(whole: Config) -> Iterator[Misfit]:
    """Yield keys of paths that another app has too, on some host."""
    for name, env in whole.environments.items():
        # Who has a path of a host: the key, as it is told, and the app.
        owners: dict[tuple[str, str], tuple[str, str]] = {}
        for at, file in _files(env):
            key = f"environments.{name}.{at[0]}[{at[1]}].path"
            theirs = next(_clashes(file, key, env, tuple(whole.apps), owners), None)
            if theirs is not None:
                yield Misfit(("environments", name, *at, "path"), theirs)


def _clashes(
    file: AnyFile,
    key: str,
    env: Environment,
    apps: tuple[str, ...],
    owners: dict[tuple[str, str], tuple[str, str]],
) -> Iterator[str]:
    """Note whose a file's paths are; yield a sentence for each that is another app's already."""
    for app in file.apps or apps:
        for host in _hosts(file, env):
            for path in _paths(file, app, host):
                owner, other = owners.setdefault((host, path), (key, app))
                if other != app:
                    where = "it" if owner == key else owner
                    yield (
                        f"{key} gives {path} on {host or 'a host'} to app {app!r}, and {where} "
                        f"gives it to {other!r}: put {{app}} into the path, or say in 'apps' whose "
                        "it is"
                    )


def _files(env: Environment) -> Iterator[tuple[KeyPath, AnyFile]]:
    for number, one in enumerate(env.config):
        if one.outside:
            yield ("config", number), one
    for number, held in enumerate(env.secret_files):
        if held.outside:
            yield ("secret_files", number), held


def _hosts(file: AnyFile, env: Environment) -> list[str]:
    """Return the hosts that a file is for; `""` for one where they are not known before."""
    if env.hosts_from is not None:
        return [] if file.roles or file.hosts else [""]
    return [
        host.name
        for host in env.hosts
        if (not file.roles or set(file.roles) & set(host.roles))
        and (not file.hosts or any(fnmatchcase(host.name, glob) for glob in file.hosts))
    ]


def _paths(file: AnyFile, app: str, host: str) -> list[str]:
    path = filled(file.path, {"app": app, "host": host})
    folder = getattr(file, "format", "") == "folder"
    return [f"{path}/{name}" for name in file.secrets] if folder else [path]
