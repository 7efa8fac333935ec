"""A project's own build with Node: its lock, then one of its scripts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from castoff.builder.assets import child
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.tools import node_programs

_LOCKS = ("package-lock.json", "npm-shrinkwrap.json")


def run_node_build(
    export: Path,
    script: str,
    *,
    env: Mapping[str, str],
    fixed: Mapping[str, str],
    timeout: float = 1800,
) -> Mapping[str, str]:
    """Install what the project's lock says and run one of its scripts, inside the export.

    What the script writes (`dist/`, say) can then be a `Root`; the output of Vite is known by its
    manifest, and its hashed names are kept.

    Args:
        export: Folder that holds `package.json` and the lock; changed in place.
        script: Name of a script in `package.json`.
        env: PATH, certificates and proxies are passed on to both steps; npm's own variables, and
            the `.npmrc` and cache in HOME, to the first alone.
        fixed: Variables that are the same for everybody; they go before those of `env`.
        timeout: Seconds for each of the two steps.

    Returns:
        The version of Node, by its name.

    Raises:
        AssetError: There is no such script, no lock or no npm, or a step fails or takes too long.
    """
    package = export / "package.json"
    scripts = _scripts(package)
    if script not in scripts:
        there = f"There are: {', '.join(sorted(scripts))}." if scripts else ""
        raise AssetError(f"there is no script {script!r}", file=package.name, hint=there)
    if not any((export / lock).is_file() for lock in _LOCKS):
        raise AssetError(
            "there is no package-lock.json beside it, so the build would differ from day to day",
            file=package.name,
            hint="Run npm install once and commit the lock.",
        )
    npm = node_programs.npm({**env, "PATH": node_programs.direct_path(env)})
    installing = node_programs.install_environment(env, fixed)
    running = node_programs.script_environment(env, fixed)
    with TemporaryDirectory(prefix="castoff-npm-") as commands:
        if len(npm) > 1:
            node_programs.write_commands(npm, Path(commands))
            for one in (installing, running):
                one["PATH"] = f"{commands}:{one['PATH']}"
        _run([*npm, "ci", "--no-audit", "--no-fund"], export, installing, timeout)
        _run([*npm, "run", script], export, running, timeout)
    return {"node": node_programs.find(env).version}


def _scripts(package: Path) -> Mapping[str, str]:
    try:
        content = json.loads(package.read_bytes())
    except FileNotFoundError as error:
        raise AssetError("there is no such file", file=package.name) from error
    except ValueError as error:
        raise AssetError(f"this is not JSON: {error}", file=package.name) from error
    scripts: Mapping[str, str] = content.get("scripts", {})
    return scripts


def _run(command: Sequence[str], folder: Path, env: Mapping[str, str], timeout: float) -> None:
    shown = " ".join(("npm", *command[-2:])) if command[-2] == "run" else "npm ci"
    done = child.run(command, shown=shown, folder=folder, env=env, timeout=timeout)
    if done.code:
        raise AssetError(f"{shown} failed with exit code {done.code}:\n{done.last_words}")
