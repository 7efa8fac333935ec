"""Wheels of dependencies that have none: built once, and found again by what the lock says of them.

Installers keep such wheels too, but by where the sources were found: one of another folder, or of
an index that gives its files no date, would be built again for every change of the lock.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename
from packaging.version import InvalidVersion, Version

from castoff.builder.cache import Cache, key_of, own_code
from castoff.builder.installer import Installer
from castoff.builder.lock import Lock
from castoff.builder.wheel import Workshop
from castoff.store.digest import sha256

STAGE = "wheels"
# What decides the environment that a back end sees.
_RULES = ("environment.py", "source_builds.py")
_FOLDER = "source-wheels"
_ENTRY = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)(?P<extras>\[[^\]]*\])?\s*===?\s*(?P<version>[^\s;]+)\s*"
    r"(?P<marker>;.*?)?\s*(?P<hashes>(?:\s--hash=\S+)+)\s*"
)


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of a lock: one version, and the digests that its file may have."""

    name: str
    extras: str
    version: str
    marker: str
    hashes: tuple[str, ...]


class SourceWheels:
    """What was built of one lock, now and by earlier builds."""

    def __init__(self, lock: Lock, workshop: Workshop, cache: Cache) -> None:
        """Look for nothing yet.

        Args:
            lock: What `normalise` returned.
            workshop: For what and by what is built.
            cache: Where wheels are kept.
        """
        self._lock, self._workshop, self._cache = lock, workshop, cache
        # For a declared platform nothing is built, and a lock of PEP 751 is left to the installer.
        usable = workshop.destination.platform is None and not lock.pylock
        text = lock.file.read_text(encoding="utf-8") if usable else ""
        self._lines = text.splitlines()
        self._missing: list[_Entry] = []
        self._rules = own_code(*_RULES)

    def lock(self) -> Lock:
        """Return the lock with what was built before in the place of its sources."""
        lines = [self._found(line) for line in self._lines]
        if lines == self._lines:
            return self._lock
        file = self._workshop.folder / "requirements-with-wheels.txt"
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return replace(self._lock, file=file)

    def keep(self, house: Path, lib: Path) -> None:
        """Keep what was built now.

        Args:
            house: What the installer fetched.
            lib: What it installed of that, not changed yet.
        """
        if not self._missing:
            return
        wanted = {
            (canonicalize_name(one.name), _version(one.version)): one for one in self._missing
        }
        for path in _built(self._workshop.installer, house, self._workshop.env):
            with suppress(InvalidWheelFilename, OSError, zipfile.BadZipFile):
                name, version, _, _ = parse_wheel_filename(path.name)
                entry = wanted.get((name, version))
                data = b"" if entry is None else path.read_bytes()
                if entry is None or f"sha256:{sha256(data)}" in entry.hashes:
                    continue
                # Another build may have written it, of other sources.
                if _is_installed(path, lib):
                    content = path.name.encode() + b"\n" + data
                    self._cache.write(STAGE, self._key(entry), content)

    def _found(self, line: str) -> str:
        match = _ENTRY.fullmatch(line)
        if match is None:
            return line
        hashes = tuple(word.removeprefix("--hash=") for word in match["hashes"].split())
        extras, marker = match["extras"] or "", match["marker"] or ""
        entry = _Entry(match["name"], extras, match["version"], marker, hashes)
        kept = self._cache.read(STAGE, self._key(entry))
        if kept is None:
            self._missing.append(entry)
            return line
        name, _, data = kept.partition(b"\n")
        folder = self._workshop.folder / _FOLDER
        folder.mkdir(exist_ok=True)
        wheel = folder / name.decode()
        wheel.write_bytes(data)
        digest = f"--hash=sha256:{sha256(data)}"
        return f"{entry.name}{entry.extras} @ {wheel.as_uri()} {entry.marker} {digest}"

    def _key(self, entry: _Entry) -> str:
        return key_of(
            {
                "name": canonicalize_name(entry.name),
                "version": entry.version,
                "hashes": sorted(entry.hashes),
                "destination": self._workshop.destination.key(),
                "installer": self._workshop.installer.name,
                "rules": self._rules,
                # Which versions of a back end count, and what it is told, beside its sources.
                "settings": self._lock.settings,
            }
        )


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


def _built(installer: Installer, house: Path, env: Mapping[str, str]) -> Iterator[Path]:
    """Yield wheels that may have been built: all that pip has, what uv keeps of its own making."""
    if installer.name == "pip":
        yield from house.glob("*.whl")
        return
    for top in Path(env["UV_CACHE_DIR"]).glob("sdists-v*"):
        yield from _below(top)


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        # Sources that were unpacked are large, and hold wheels of others.
        if path.name == "src" or path.is_symlink():
            continue
        if path.is_dir():
            yield from _below(path)
        elif path.suffix == ".whl":
            yield path


def _is_installed(wheel: Path, lib: Path) -> bool:
    """Say whether all that a wheel holds is what was installed."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            info = name.partition("/")[0]
            moved = info.endswith(".data") or name.endswith("/")
            if moved or (info.endswith(".dist-info") and name.endswith("/RECORD")):
                continue
            installed = lib / name
            if not installed.is_file() or installed.read_bytes() != archive.read(name):
                return False
    return True
