"""A store with versions made in the test, and "hosts" that are folders of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from castoff.config.hosts import resolve_hosts
from castoff.config.model import App, Config
from castoff.releaser.job import Scope
from castoff.store.artifacts import push
from castoff.store.file import FileStore
from support.written_artifact import write_artifact

APP = "pages"


def publish(store: FileStore, folder: Path, version: str) -> None:
    """Make a version of a few pages and push it."""
    files = {f"app/{n}.txt": version.encode() for n in range(5)}
    push(store, write_artifact(folder, APP, version, files))


def make_scope(
    folder: Path,
    steps: list[dict[str, Any]],
    *,
    hosts: int = 3,
    roles: tuple[str, ...] = (),
    **environment: Any,
) -> Scope:
    """Return a scope of local hosts `web1` … with these steps; versions 1, 2 and 3 are there."""
    store = FileStore(folder / "store", url="file://store")
    for version in ("1", "2", "3"):
        publish(store, folder / "artifacts", version)
    config = Config.model_validate(
        {
            "apps": {APP: {}},
            "environments": {
                "production": {
                    "transport": "local",
                    "root": "./hosts/{host}",
                    "hosts": tuple(
                        {"name": f"web{n}", "roles": roles} for n in range(1, hosts + 1)
                    ),
                    "steps": tuple(steps),
                    **environment,
                }
            },
        }
    )
    chosen = config.environments["production"]
    return Scope(
        app=APP,
        recipe=App(),
        environment_name="production",
        environment=chosen,
        hosts=resolve_hosts(APP, chosen, folder),
        store=store,
        url_expires=600,
        who="somebody@here",
    )
