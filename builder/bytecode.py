"""Compile a tree's Python files, so that hosts need not, to the same bytes every time.

Unchecked-hash pyc files (PEP 552) are never compared with their source, whose modification time
therefore does not matter. What `marshal` writes depends on how many references an object happens
to have, and so on what the process did before; each package is therefore compiled in a process of
its own, in a fixed order, with hash seed 0. This also keeps a package's byte code the same when
another one changes, so that the cache can have it.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from castoff.builder.cache import HEAD, Cache, key_of
from castoff.builder.interpreter import Interpreter
from castoff.builder.process import Dialogue, running
from castoff.store.digest import sha256

_STAGE = "bytecode"
# Of what a file needed the next one takes again: glibc would give it back each time (mallopt(3)).
_MALLOC = {"MALLOC_TRIM_THRESHOLD_": "268435456", "MALLOC_MMAP_THRESHOLD_": "268435456"}
_DRIVER = Path(__file__).with_name("bytecode_driver.py")

# Content of byte code files by path from the tree's top.
ByteCode = dict[str, bytes]
# Device, inode, size and time of change of each file of a group.
Identity = tuple[tuple[int, int, int, int], ...]


class Compiler:
    """Compiles packages in other processes, while more of them are being looked at here."""

    def __init__(
        self,
        tree: Path,
        *,
        interpreter: Interpreter,
        env: Mapping[str, str],
        workers: int,
        cache: Cache,
    ) -> None:
        """Start nothing yet.

        Args:
            tree: The release's tree. No path on this machine gets into what is made.
            interpreter: The target.
            env: The tools' environment.
            workers: How many packages are compiled at once; the result does not depend on it.
            cache: Where byte code of earlier builds is; the result does not depend on it.
        """
        self._tree, self._interpreter, self._env = tree, interpreter, env
        self._workers, self._cache = workers, cache
        self._open = ExitStack()
        self._folder = Path()
        self._driver: Dialogue | None = None
        # Of each group that was begun; empty where it is not known what is in it.
        self._keys: list[str] = []
        self._begun: dict[tuple[str, ...], tuple[int, Identity]] = {}

    def __enter__(self) -> Compiler:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        """End the processes; remove what they left.

        Raises:
            BuildError: The interpreter failed.
        """
        return self._open.__exit__(kind, error, trace)

    def begin(self, names: Sequence[str], found: Identity, *, folder: str, under: str) -> None:
        """Have a package compiled that is not yet in the tree; it counts if `add` finds it there.

        Args:
            names: As `add` takes them.
            found: What its files are.
            folder: Where they lie now.
            under: The folder of the tree that will have what is in that one.

        Raises:
            BuildError: The interpreter cannot be started.
            BrokenPipeError: It has ended.
        """
        self._say("", (f"{folder}/", len(under) + 1, list(names)))
        self._begun[tuple(names)] = len(self._keys) - 1, found

    def add(
        self, names: Sequence[str], digests: Sequence[str], found: Identity | None = None
    ) -> ByteCode | None:
        """Have a package compiled, unless its byte code is there already: then return it.

        A file that is not Python of this version (a template, say) gets no byte code.

        Args:
            names: Its `.py` files by path from the tree's top, in order.
            digests: Their SHA-256.
            found: What they are, if that is known.

        Raises:
            BuildError: The interpreter cannot be started.
        """
        key = _key(names, digests, self._interpreter)
        begun = self._begun.pop(tuple(names), None)
        if begun is not None and begun[1] == found:
            self._keys[begun[0]] = key
            return None
        entry = self._cache.read(_STAGE, key)
        if entry is not None:
            return _content(entry)
        self._say(key, ("", 0, list(names)))
        return None

    def _say(self, key: str, group: tuple[str, int, list[str]]) -> None:
        if self._driver is None:
            self._driver = self._start()
        number = len(self._keys)
        self._keys.append(key)
        (self._folder / str(number)).write_text(json.dumps(group), encoding="utf-8")
        self._driver.say(str(number))

    def finish(self) -> Iterator[ByteCode]:
        """Yield the byte code of what was compiled, package by package as each is ready."""
        while self._driver is not None:
            driver, folder, self._driver = self._driver, self._folder, None
            # Such as what another build has unpacked meanwhile.
            for unwanted in (number for number, key in enumerate(self._keys) if not key):
                (folder / str(unwanted)).unlink(missing_ok=True)
            gone = []
            for number in driver.answers():
                made, key = folder / f"{number}.made", self._keys[int(number)]
                # What was begun and is not in the tree as it was leaves nothing.
                if key and made.exists():
                    entry = made.read_bytes()[HEAD:]
                    self._cache.adopt(_STAGE, key, made, entry)
                    yield _content(entry)
                elif key:
                    gone.append((key, folder / number))
                made.unlink(missing_ok=True)
            for key, group in gone:
                # Another program has tidied uv's cache; in the tree there is what was in it.
                self._say(key, ("", 0, json.loads(group.read_bytes())[2]))

    def _start(self) -> Dialogue:
        self._folder = Path(self._open.enter_context(TemporaryDirectory(dir=self._tree.parent)))
        driver = _DRIVER.read_text(encoding="utf-8")
        python = self._interpreter.path
        return self._open.enter_context(
            running(
                # Not -I nor -E: they would make Python ignore PYTHONHASHSEED.
                [python, "-S", "-s", "-c", driver, str(self._workers), self._folder, str(HEAD)],
                cwd=self._tree,
                env={**self._env, **_MALLOC},
                task=f"compile byte code with {python}",
            )
        )


def identity(files: Iterable[os.stat_result]) -> Identity:
    """Return what tells files, in their order, from any others."""
    return tuple((one.st_dev, one.st_ino, one.st_size, one.st_mtime_ns) for one in files)


def compile_tree(tree: Path, folder: str, compiler: Compiler) -> None:
    """Compile all `.py` files below a folder of a tree.

    Args:
        tree: The release's tree, and the compiler's.
        folder: A folder in it; it may be missing.
        compiler: Ended here.

    Raises:
        BuildError: The interpreter fails.
    """
    groups = list(_groups(tree, folder))
    # The largest first, or the last one would be compiled while all other processors wait.
    groups.sort(
        key=lambda one: sum(os.lstat(f"{tree}/{name}").st_size for name in one), reverse=True
    )
    with compiler:
        for group in groups:
            made = compiler.add(group, [sha256((tree / name).read_bytes()) for name in group])
            _write(tree, made or {})
        for made in compiler.finish():
            _write(tree, made)


def _groups(tree: Path, folder: str) -> Iterator[list[str]]:
    """Yield the Python files of each entry of a folder, in order."""
    if not (tree / folder).is_dir():
        return
    with os.scandir(tree / folder) as there:
        entries = sorted(there, key=lambda one: one.name)
    for entry in entries:
        found = _below(entry.path) if entry.is_dir() else [entry.path]
        names = [path.removeprefix(f"{tree}/") for path in found if _is_python(path)]
        if names:
            yield names


def _is_python(path: str) -> bool:
    # A file that is called `.py` has no suffix.
    return (
        path.endswith(".py") and not path.endswith("/.py") and stat.S_ISREG(os.lstat(path).st_mode)
    )


def _below(folder: str) -> list[str]:
    """Return what is below a folder, as text: Path takes longer than to read a file."""
    found = [f"{top}/{name}" for top, _, names in os.walk(folder) for name in names]
    # Folder by folder, as Path has it.
    return sorted(found, key=lambda path: path.split("/"))


def _key(names: Sequence[str], digests: Sequence[str], interpreter: Interpreter) -> str:
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
            "files": [list(pair) for pair in zip(names, digests, strict=True)],
        }
    )


def _content(entry: bytes) -> ByteCode:
    head, _, content = entry.partition(b"\n")
    made: ByteCode = {}
    start = 0
    for name, size in json.loads(head):
        made[name] = content[start : start + size]
        start += size
    return made


def _write(tree: Path, made: ByteCode) -> None:
    for name, content in made.items():
        path = tree / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
