"""Compile a tree's Python files, so that hosts need not, to the same bytes every time.

Unchecked-hash pyc files (PEP 552) are never compared with their source, whose modification time
therefore does not matter. What `marshal` writes depends on how many references an object happens
to have, and so on what the process did before; each package is therefore compiled in a process of
its own, in a fixed order, with hash seed 0. This also keeps a package's byte code the same when
another one changes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from castoff.builder.interpreter import Interpreter
from castoff.builder.process import run

_DRIVER = Path(__file__).with_name("bytecode_driver.py")


def compile_tree(
    tree: Path,
    folders: tuple[str, ...],
    *,
    interpreter: Interpreter,
    env: Mapping[str, str],
    workers: int,
) -> None:
    """Compile all `.py` files below some folders of a tree.

    A file that is not Python of this version (a template, say) gets no byte code.

    Args:
        tree: The release's tree. No path on this machine gets into what is written.
        folders: Folders of it, `/`-separated; those that are missing are skipped.
        interpreter: The target.
        env: The tools' environment.
        workers: How many packages are compiled at once; the result does not depend on it.

    Raises:
        BuildError: The interpreter fails.
    """
    groups = [group for folder in folders for group in _groups(tree, folder)]
    run(
        # Not -I nor -E: they would make Python ignore PYTHONHASHSEED.
        [interpreter.path, "-S", "-s", "-c", _DRIVER.read_text(encoding="utf-8"), str(workers)],
        cwd=tree,
        env=env,
        given=json.dumps(groups).encode(),
        task=f"compile byte code with {interpreter.path}",
    )


def _groups(tree: Path, folder: str) -> Iterator[list[str]]:
    """Yield the Python files of each entry of a folder, in order."""
    if not (tree / folder).is_dir():
        return
    for entry in sorted((tree / folder).iterdir()):
        found = sorted(entry.rglob("*.py")) if entry.is_dir() else [entry]
        names = [
            path.relative_to(tree).as_posix()
            for path in found
            if path.suffix == ".py" and path.is_file() and not path.is_symlink()
        ]
        if names:
            yield names
