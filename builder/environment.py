"""The environment that build tools run in: the same for everybody, save for how to reach indexes.

Whatever could change the result (locale, time zone, hash seed, home, `PYTHON*`, compiler flags) is
fixed or left out. What tells tools where packages come from, and how to get there, is handed on:
see `HANDED_ON`. What comes from there is checked against the lock's digests, so it cannot change
the result either.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path

# How to reach package indexes: their addresses, credentials, certificates and proxies. Each name is
# explained in docs/reference/artifact.md; `*` stands for the name of an index.
HANDED_ON = (
    "PATH",
    "NETRC",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS",
    "UV_NO_INDEX", "UV_INDEX_STRATEGY", "UV_INDEX_*_USERNAME", "UV_INDEX_*_PASSWORD",
    "UV_CONFIG_FILE", "UV_NO_CONFIG", "UV_CACHE_DIR", "UV_OFFLINE",
    "UV_HTTP_TIMEOUT", "UV_HTTP_RETRIES", "UV_INSECURE_HOST", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS",
    "UV_KEYRING_PROVIDER", "UV_EXCLUDE_NEWER", "UV_BUILD_CONSTRAINT",
    "UV_CONCURRENT_DOWNLOADS", "UV_CONCURRENT_BUILDS", "UV_CONCURRENT_INSTALLS",
    "UV_PYTHON_INSTALL_DIR",
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CONFIG_FILE",
    "PIP_CERT", "PIP_CLIENT_CERT", "PIP_PROXY", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT",
    "PIP_RETRIES", "PIP_CACHE_DIR",
)  # fmt: skip

_PATTERNS = tuple(name for name in HANDED_ON if "*" in name)


def tool_environment(
    caller: Mapping[str, str], *, work: Path, time: int, cache: Path | None = None
) -> dict[str, str]:
    """Return the environment for uv, build back ends and the target interpreter.

    Installers keep the wheels that they build by the digest of their source alone. Those of the
    user's own cache were built in whatever environment the user had then, so unless the caller
    names one (`UV_CACHE_DIR`, `PIP_CACHE_DIR`), they get a cache that only builds write to.

    Args:
        caller: The environment of the one who builds.
        work: The build's own folder, where the tools' home and temporary files go.
        time: Source time, seconds since the epoch.
        cache: Castoff's folder for what builds may find again. Where it is None or cannot be
            written, what installers keep goes with the build.
    """
    home, temporary = work / "home", work / "tmp"
    home.mkdir(exist_ok=True)
    temporary.mkdir(exist_ok=True)
    handed_on = {
        name: value
        for name, value in caller.items()
        if name in HANDED_ON or any(fnmatchcase(name, pattern) for pattern in _PATTERNS)
    }
    return {
        **_installer_caches(cache, work),
        **_user_settings(caller),
        **handed_on,
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONHASHSEED": "0",
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SOURCE_DATE_EPOCH": str(time),
        "UV_NO_PROGRESS": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        # Copies, for what is in uv's cache must not change when we normalise the tree.
        "UV_LINK_MODE": "copy",
    }


def back_end_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for code of the project's own: what it builds with needs no index.

    Args:
        env: The tools', of which credentials, indexes and the user's settings are left out, and so
            are installers' caches.
    """
    return {
        name: value
        for name, value in env.items()
        if name != "NETRC" and not name.startswith(("UV_", "PIP_", "XDG_"))
    }


def _installer_caches(cache: Path | None, work: Path) -> dict[str, str]:
    folders = {"UV_CACHE_DIR": "uv", "PIP_CACHE_DIR": "pip"}
    if cache is None or not all(_usable(cache / name) for name in folders.values()):
        cache = work
    return {variable: str(cache / name) for variable, name in folders.items()}


def _usable(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return False
    # What lies behind a link is not ours.
    return os.access(folder, os.W_OK | os.X_OK) and not folder.is_symlink()


def _user_settings(caller: Mapping[str, str]) -> dict[str, str]:
    """Return where the user's index settings are, as tools' HOME differs."""
    if "HOME" not in caller:
        return {}
    home = Path(caller["HOME"])
    config = Path(caller.get("XDG_CONFIG_HOME", ""))
    # A relative one is invalid, says the XDG Base Directory Specification, and to be ignored.
    found = {"XDG_CONFIG_HOME": str(config if config.is_absolute() else home / ".config")}
    if (home / ".netrc").is_file():
        found["NETRC"] = str(home / ".netrc")
    return found
