"""What uv can be asked before it is known what it has to install."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from castoff.builder.errors import BuildError
from castoff.builder.interpreter import uv
from castoff.builder.process import run


def uv_version(work: Path) -> str:
    """Return the version of uv.

    Args:
        work: The build's own folder.

    Raises:
        BuildError: It does not run.
    """
    return run([uv(), "--version"], cwd=work, env={}, task="run uv").decode().split()[1]


def introduce(python: Path, *, env: Mapping[str, str], work: Path) -> None:
    """Let uv ask an interpreter what it is, if it has not yet asked any.

    It keeps the answer in its cache. Where it fails, uv says so when it is to install.

    Args:
        python: The interpreter.
        env: The tools' environment, which names the cache.
        work: The build's own folder.
    """
    if any(Path(env["UV_CACHE_DIR"]).glob("interpreter-v*")):
        return
    argv: list[str | Path] = [uv(), "python", "find", "--quiet", "--no-project", "--", python]
    with suppress(BuildError):
        run(argv, cwd=work, env=env, task=f"ask {python} what it is")
