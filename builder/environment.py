"""The environment that build tools run in: the same for everybody, save for how to reach indexes.

Whatever could change the result (locale, time zone, hash seed, home, `PYTHON*`, compiler flags) is
fixed or left out. What tells tools where packages come from, and how to get there, is handed on:
see `_HANDED_ON`. What comes from there is checked against the lock's digests, so it cannot change
the result either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

# How to reach package indexes: their addresses, credentials, certificates and proxies. Documented
# in docs/reference/artifact.md.
_HANDED_ON = re.compile(
    r"PATH|NETRC"
    r"|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE"
    r"|(HTTP|HTTPS|ALL|NO)_PROXY|(http|https|all|no)_proxy"
    r"|UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|INDEX_STRATEGY"
    r"|INDEX_\w+_(USERNAME|PASSWORD)|CONFIG_FILE|NO_CONFIG|CACHE_DIR|OFFLINE|HTTP_TIMEOUT"
    r"|HTTP_RETRIES|INSECURE_HOST|NATIVE_TLS|SYSTEM_CERTS|KEYRING_PROVIDER|EXCLUDE_NEWER"
    r"|BUILD_CONSTRAINT|CONCURRENT_(DOWNLOADS|BUILDS|INSTALLS)|PYTHON_INSTALL_DIR)"
    r"|PIP_(INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|CERT|CLIENT_CERT|PROXY|TRUSTED_HOST"
    r"|CONFIG_FILE|DEFAULT_TIMEOUT)"
)


def tool_environment(caller: Mapping[str, str], *, work: Path, time: int) -> dict[str, str]:
    """Return the environment for uv, build back ends and the target interpreter.

    Args:
        caller: The environment of the one who builds.
        work: The build's own folder, where the tools' home and temporary files go.
        time: Source time, seconds since the epoch.
    """
    home, temporary = work / "home", work / "tmp"
    home.mkdir(exist_ok=True)
    temporary.mkdir(exist_ok=True)
    handed_on = {name: value for name, value in caller.items() if _HANDED_ON.fullmatch(name)}
    return {
        **_user_folders(caller),
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


def _user_folders(caller: Mapping[str, str]) -> dict[str, str]:
    """Return where the user's own index settings and uv's cache are, as the tools' HOME differs."""
    if "HOME" not in caller:
        return {}
    home = Path(caller["HOME"])
    cache = Path(caller.get("XDG_CACHE_HOME") or home / ".cache")
    found = {
        "UV_CACHE_DIR": str(cache / "uv"),
        "XDG_CONFIG_HOME": caller.get("XDG_CONFIG_HOME") or str(home / ".config"),
    }
    if (home / ".netrc").is_file():
        found["NETRC"] = str(home / ".netrc")
    return found
