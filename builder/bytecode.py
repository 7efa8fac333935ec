"""Compile a tree's Python files, so that hosts need not, to the same bytes every time.

Unchecked-hash pyc files (PEP 552) are never compared with their source, whose modification time
therefore does not matter. What `marshal` writes depends on how many references an object happens
to have, and so on what the process did before; each package is therefore compiled in a process of
its own, in a fixed order, with hash seed 0. This also keeps a package's byte code the same when
another one changes, so that the cache can have it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from castoff.builder.cache import Cache, key_of
from castoff.builder.interpreter import Interpreter
from castoff.builder.process import run
from castoff.store.digest import sha256

_STAGE = "bytecode"
_DRIVER = Path(__file__).with_name("bytecode_driver.py")


def compile_tree(
    tree: Path,
    folders: tuple[str, ...],
    *,
    interpreter: Interpreter,
    env: Mapping[str, str],
    workers: int,
    cache: Cache,
) -> None:
    """Compile all `.py` files below some folders of a tree.

    A file that is not Python of this version (a template, say) gets no byte code.

    Args:
        tree: The release's tree. No path on this machine gets into what is written.
        folders: Folders of it, `/`-separated; those that are missing are skipped.
        interpreter: The target.
        env: The tools' environment.
        workers: How many packages are compiled at once; the result does not depend on it.
        cache: Where byte code of earlier builds is; the result does not depend on it.

    Raises:
        BuildError: The interpreter fails.
    """
    groups = [group for folder in folders for group in _groups(tree, folder)]
    keys = [_key(tree, group, interpreter) for group in groups]
    missing = [
        (key, group)
        for key, group in zip(keys, groups, strict=True)
        if not _restore(tree, cache.read(_STAGE, key))
    ]
    if not missing:
        return
    # The largest first, or the last one would be compiled while all other processors wait.
    missing.sort(key=lambda one: sum((tree / name).stat().st_size for name in one[1]), reverse=True)
    driver = _DRIVER.read_text(encoding="utf-8")
    with TemporaryDirectory(dir=tree.parent) as together:
        run(
            # Not -I nor -E: they would make Python ignore PYTHONHASHSEED.
            [interpreter.path, "-S", "-s", "-c", driver, str(workers), together],
            cwd=tree,
            env=env,
            given=json.dumps([group for _, group in missing]).encode(),
            task=f"compile byte code with {interpreter.path}",
        )
        for number, (key, _) in enumerate(missing):
            cache.write(_STAGE, key, Path(together, str(number)).read_bytes())


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


def _key(tree: Path, group: Sequence[str], interpreter: Interpreter) -> str:
    # The whole group: what is compiled first has an influence on the rest.
    return key_of(
        {
            "python": [
                interpreter.markers["implementation_name"],
                interpreter.full_version,
                interpreter.machine,
                interpreter.free_threaded,
            ],
            "driver": sha256(_DRIVER.read_bytes()),
            "files": [[name, sha256((tree / name).read_bytes())] for name in group],
        }
    )


def _restore(tree: Path, entry: bytes | None) -> bool:
    if entry is None:
        return False
    head, _, content = entry.partition(b"\n")
    start = 0
    for name, size in json.loads(head):
        path = tree / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content[start : start + size])
        start += size
    return True
