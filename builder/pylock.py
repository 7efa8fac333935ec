"""Read a `pylock.toml` (PEP 751) for an installer that does not know the format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name

from castoff.builder.errors import SourceError
from castoff.builder.installer import IndexFile
from castoff.builder.markers import NoMarker, applies
from castoff.config.toml import NotToml, parse


def requirements_of(path: Path, *, name: str, markers: Mapping[str, str]) -> str:
    """Return the packages that apply as pinned requirements with the hashes of all their files.

    Format: https://packaging.python.org/en/latest/specifications/pylock-toml/

    Args:
        path: The lock.
        name: What it is called in messages.
        markers: The target's environment of PEP 508 markers.

    Raises:
        SourceError: It cannot be read, or holds a package that is no file of an index.
    """
    try:
        packages = parse(path.read_text(encoding="utf-8")).get("packages", [])
        return "".join(_lines(packages, name, markers))
    except (NotToml, UnicodeDecodeError) as error:
        raise SourceError(f"{name}: {error}") from error
    except (InvalidMarker, NoMarker) as error:
        raise SourceError(f"{name}: a marker cannot be evaluated: {error}") from error
    except (AttributeError, KeyError, TypeError) as error:
        raise _no_lock(name, error) from error


def files_of(text: str, *, name: str) -> dict[str, list[IndexFile]]:
    """Return the files that a lock names, by the normalised name of their package.

    Args:
        text: The lock's.
        name: What it is called in messages.

    Raises:
        SourceError: It cannot be read.
    """
    found: dict[str, list[IndexFile]] = {}
    try:
        for package in parse(text).get("packages", []):
            found.setdefault(canonicalize_name(package["name"]), []).extend(_files(package))
    except (NotToml, AttributeError, KeyError, TypeError) as error:
        raise _no_lock(name, error) from error
    return found


def wheels_of(text: str, *, name: str, markers: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the files of the packages that apply, by name and version: `lxml 5.3.0`.

    What is no file of an index (a folder, a commit) is left out.

    Args:
        text: The lock's.
        name: What it is called in messages.
        markers: The target's environment of PEP 508 markers.

    Raises:
        SourceError: It cannot be read.
    """
    found: dict[str, list[str]] = {}
    try:
        for package in parse(text).get("packages", []):
            marker = Marker(package["marker"]) if "marker" in package else None
            files = [file.name for file in _files(package)]
            if files and applies(marker, markers):
                version = package.get("version", "")
                found.setdefault(f"{package['name']} {version}".strip(), []).extend(files)
    except (NotToml, InvalidMarker, NoMarker, AttributeError, KeyError, TypeError) as error:
        raise _no_lock(name, error) from error
    return found


def _no_lock(name: str, error: Exception) -> SourceError:
    return SourceError(f"{name}: not a lock as PEP 751 has it: {error!r}")


def _files(package: Mapping[str, Any]) -> list[IndexFile]:
    sources = [package[key] for key in ("sdist", "archive") if key in package]
    return [_file(entry) for entry in [*package.get("wheels", []), *sources]]


def _file(entry: Mapping[str, Any]) -> IndexFile:
    place = entry.get("name") or entry.get("path") or urlsplit(entry.get("url", "")).path
    digests = frozenset(f"{kind}:{digest.lower()}" for kind, digest in entry["hashes"].items())
    return IndexFile(PurePosixPath(unquote(str(place))).name, digests)


def _lines(packages: Any, name: str, markers: Mapping[str, str]) -> Iterator[str]:
    for package in packages:
        marker = Marker(package["marker"]) if "marker" in package else None
        if not applies(marker, markers):
            continue
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        if not files:
            raise SourceError(
                f"{name}: {package['name']} is no file of an index, which pip could compare with "
                "its hash",
                hint='Set installer = "uv" under [apps.NAME.build] in castoff.toml.',
            )
        hashes = sorted(f"--hash=sha256:{file['hashes']['sha256']}" for file in files)
        yield f"{package['name']}=={package['version']} {' '.join(hashes)}\n"
