"""What installers are told beside the lock, in files and variables: how dependencies are built.

A lock names files. What a back end is given to build one with, whether a wheel or the sources are
taken, and from when on versions of build tools are too new, stands in the settings of uv and pip,
which both look for by themselves. What only says where files come from, and how to get there,
decides nothing: digests do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from pathlib import Path
from typing import Any

from castoff.config.toml import NotToml, parse
from castoff.store import canonical
from castoff.store.digest import sha256

# Variables that decide too; some name files, separated by blanks.
_DECIDING = ("UV_EXCLUDE_NEWER", "UV_BUILD_CONSTRAINT", "PIP_BUILD_CONSTRAINT")
# https://docs.astral.sh/uv/reference/settings/ and https://pip.pypa.io/en/stable/cli/pip/
_WAYS = frozenset({
    "allow-insecure-host", "cache-dir", "cache-keys", "cert", "check-url", "client-cert",
    "concurrent-builds", "concurrent-downloads", "concurrent-installs", "extra-index-url",
    "find-links", "http-proxy", "https-proxy", "index", "index-strategy", "index-url",
    "keyring-provider", "native-tls", "no-cache", "no-index", "no-proxy", "offline", "preview",
    "progress-bar", "proxy", "publish-url", "retries", "system-certs", "timeout", "trusted-host",
    "trusted-publishing",
})  # fmt: skip
_SYSTEM = ("/etc/xdg/uv/uv.toml", "/etc/uv/uv.toml", "/etc/xdg/pip/pip.conf", "/etc/pip.conf")


def installer_settings(folder: Path, *, top: Path, env: Mapping[str, str]) -> str:
    """Return the digest of all settings that may decide what is installed; empty where none do.

    Args:
        folder: The app's folder.
        top: The exported repository's top, up to which a project's settings are looked for.
        env: The tools' environment.
    """
    found = [told for path in _places(folder, top, env) if (told := _told_by(path))]
    found += [[name, env[name], *_files_of(env[name], folder)] for name in _DECIDING if name in env]
    return sha256(canonical.dumps(found)) if found else ""


def _places(folder: Path, top: Path, env: Mapping[str, str]) -> Iterator[Path]:
    """Yield files that may hold settings, those of the project first."""
    for place in (folder, *folder.parents):
        yield from (place / "uv.toml", place / "pyproject.toml")
        if place == top:
            break
    own = Path(env.get("XDG_CONFIG_HOME", "/nowhere"))
    yield from (own / "uv" / "uv.toml", own / "pip" / "pip.conf")
    yield from (Path(env[name]) for name in ("UV_CONFIG_FILE", "PIP_CONFIG_FILE") if env.get(name))
    yield from map(Path, _SYSTEM)


def _told_by(path: Path) -> Any:
    """Return what of a file may decide; None of one that is not there or cannot be read."""
    try:
        data = path.read_bytes() if path.is_file() else b""
    except OSError:
        return None
    try:
        text = data.decode()
        if path.suffix == ".toml":
            told: Any = parse(text)
            if path.name == "pyproject.toml":
                told = told.get("tool", {}).get("uv", {})
        else:
            parser = ConfigParser(interpolation=None, strict=False)
            parser.read_string(text)
            told = {name: dict(section) for name, section in parser.items()}
        return _deciding(told)
    except (NotToml, ConfigParserError, UnicodeDecodeError, AttributeError, RecursionError):
        # Whoever reads it says what is wrong with it.
        return sha256(data)


def _deciding(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings without those that only say where to find what."""
    kept = {}
    for name, value in told.items():
        inner = _deciding(value) if isinstance(value, dict) else value
        if name.replace("_", "-") not in _WAYS and inner != {}:
            # Dates and times are no JSON.
            kept[name] = inner if isinstance(inner, dict) else repr(inner)
    return kept


def _files_of(value: str, folder: Path) -> Iterator[str]:
    for word in value.split():
        path = folder / word
        if path.is_file():
            yield sha256(path.read_bytes())
