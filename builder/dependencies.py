"""Install what the lock names, and nothing else, into the release's `lib/`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from castoff.builder.interpreter import Interpreter, uv
from castoff.builder.lock import Lock
from castoff.builder.process import run


def install_lock(
    lock: Lock, lib: Path, *, folder: Path, interpreter: Interpreter, env: Mapping[str, str]
) -> None:
    """Install all locked distributions, each file checked against its digest.

    A `uv.lock` or `pylock.toml` is installed to the letter. A requirements file may lack what
    its entries depend on, so uv resolves it too, and refuses anything that has no digest there.

    Args:
        lock: What `normalise` returned.
        lib: Where to; it may be missing.
        folder: The app's folder, whose `[tool.uv]` settings say which indexes to ask.
        interpreter: The target.
        env: The tools' environment.

    Raises:
        BuildError: uv fails: a digest differs, a file cannot be had or built.
    """
    argv = [*_pip_install(lib, interpreter), "--require-hashes", "--requirement", lock.file]
    if lock.complete:
        argv.append("--no-deps")
    hint = (
        f"If a digest differs, the file is not the one that was locked: renew {lock.source} and "
        "look at what changed before you commit it."
    )
    run(argv, cwd=folder, env=env, task=f"install what {lock.source} locks", hint=hint)


def install_wheel(
    wheel: Path, lib: Path, *, interpreter: Interpreter, env: Mapping[str, str]
) -> None:
    """Install a wheel that was just built, without anything that it depends on.

    Raises:
        BuildError: uv fails.
    """
    # No cache: uv would keep a copy of every build for ever.
    argv = [*_pip_install(lib, interpreter), "--no-deps", "--no-index", "--no-cache", wheel]
    run(argv, cwd=wheel.parent, env=env, task=f"install {wheel.name}")


def _pip_install(lib: Path, interpreter: Interpreter) -> Sequence[str | Path]:
    return [
        uv(), "pip", "install", "--quiet", "--target", lib, "--python", interpreter.path,
        "--no-compile-bytecode", "--link-mode", "copy",
    ]  # fmt: skip
