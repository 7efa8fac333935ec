"""A store with versions made in the test, and "hosts" that are folders of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from castoff.config.hosts import resolve_hosts
from castoff.config.model import App, Config
from castoff.releaser.job import Scope
from castoff.store import filetable
from castoff.store.artifacts import load_local, push
from castoff.store.digest import sha256
from castoff.store.file import FileStore
from castoff.store.manifest import Blob, Manifest, Source, Target
from support.archives import make_artifact

APP = "pages"


def publish(store: FileStore, folder: Path, version: str) -> None:
    """Make a version of a few pages and push it."""
    made = make_artifact(version, {f"app/{n}.txt": version.encode() for n in range(5)})
    table = filetable.compress(made.table_bytes)
    folder.mkdir(exist_ok=True)
    manifest = Manifest(
        app=APP,
        version=version,
        format="tarball",
        source=Source(commit="c" * 40, ref="HEAD", time=1),
        target=Target(python="", exact_python=False, requires_python="", machine="", glibc=""),
        archive=_blob("archive", made.archive, "tar.gz"),
        table=_blob("files", table, "json.gz"),
        table_sha256=sha256(made.table_bytes),
        tree_sha256=made.tree_sha256,
        tree_size=100,
        entry_points=(),
        dependencies=(),
        built_with={},
    )
    (folder / f"{APP}-{version}.tar.gz").write_bytes(made.archive)
    (folder / f"{APP}-{version}.files.json.gz").write_bytes(table)
    (folder / f"{APP}-{version}.manifest.json").write_bytes(manifest.to_bytes())
    push(store, load_local(folder, APP, version))


def make_scope(
    folder: Path, steps: list[dict[str, Any]], *, hosts: int = 3, **environment: Any
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
                    "hosts": tuple({"name": f"web{n}"} for n in range(1, hosts + 1)),
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


def _blob(name: str, data: bytes, ending: str) -> Blob:
    digest = sha256(data)
    return Blob(name=f"{name}.{digest}.{ending}", size=len(data), sha256=digest)
