"""Whether what was built from the commit can be imported from a folder of its own.

On `sys.path` `project/` comes before `lib/`. A package without `__init__.py` may have parts in both
(PEP 420), as may one whose `__init__.py` looks for them (`pkgutil.extend_path`). Of any other
package, and of any module, Python imports the first that it finds, so that what the other folder
has of it would be lost.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from castoff.builder.errors import SourceError
from castoff.builder.layer import Layer
from castoff.builder.tree import list_tree
from castoff.store.places import LIB, PROJECT

# What people's wheels bring by mistake, and nobody imports from a release.
_STRAY = frozenset({"tests", "test", "testing", "docs", "doc", "examples", "benchmarks"})
_MODULE = re.compile(r"([^.]+)(?:\.py|\.[^/]*\.so|\.so)")
_LOOKS = re.compile(r"\bextend_path\b|\bdeclare_namespace\b")
_INIT = "__init__.py"


def check_apart(tree: Path, layer: Layer | None, *, warn: Callable[[str], None]) -> None:
    """Find names that can be imported from both folders, where that loses something.

    Args:
        tree: The tree's folder; nothing has been compiled in `project/`.
        layer: What fills `lib/`; None where it is in the tree's folder.
        warn: Told, in a sentence, of what is lost and was never wanted.

    Raises:
        SourceError: Something that may be wanted would be lost.
        BuildError: A name cannot be released.
    """
    own = _paths(tree, PROJECT)
    locked = _paths(tree, LIB) if layer is None else layer.rows.paths

    def read(path: str) -> str:
        if layer is None or not layer.has(path):
            return (tree / path).read_text(encoding="utf-8", errors="replace")
        size = layer.rows.sizes[layer.rows.index[path]]
        return layer.read(path, 0, size).decode("utf-8", "replace")

    for name in _hidden(own, locked, read, ""):
        warn(
            f"{PROJECT}/{name} of the project's own wheel hides {LIB}/{name} of a dependency: code "
            "that looks for files in that package will not find those"
        )
    stray = set()
    for name in _torn(own, locked, read, ""):
        top = name.partition("/")[0]
        if top in _STRAY:
            stray.add(top)
            continue
        raise SourceError(
            f"{name.replace('/', '.')} is in the project's own wheel and in a dependency, and "
            f"Python would import only one of them: {PROJECT}/{name} or {LIB}/{name}",
            hint="Give the project's another name, or leave it out of the wheel. A package that "
            f"both bring must have no {_INIT} in either (PEP 420).",
        )
    for top in sorted(stray):
        warn(
            f"{PROJECT}/{top} of the project's own wheel hides {LIB}/{top} of a dependency: leave "
            "it out of the wheel"
        )


def _paths(tree: Path, folder: str) -> Sequence[str]:
    if not (tree / folder).is_dir():
        return ()
    listed = list_tree(tree, folder)
    return sorted((*listed.files, *(link.path for link in listed.links)))


def _torn(
    own: Sequence[str], locked: Sequence[str], read: Callable[[str], str], inside: str
) -> Iterator[str]:
    """Yield what cannot be imported whole, of what lies in one package or at the top."""
    ours, theirs = f"{PROJECT}/{inside}", f"{LIB}/{inside}"
    for name, is_folder in _importable(own, ours):
        path, here, there = f"{inside}{name}", f"{ours}{name}/", f"{theirs}{name}/"
        if not is_folder:
            torn = _is_module(locked, theirs, name) or _has_code(locked, there)
        elif _is_module(locked, theirs, name):
            torn = _has_code(own, here)
        else:
            torn = _is_torn(own, locked, read, here, there)
            if not torn and _has(locked, there):
                yield from _torn(own, locked, read, f"{path}/")
        if torn:
            yield path


def _hidden(
    own: Sequence[str], locked: Sequence[str], read: Callable[[str], str], inside: str
) -> Iterator[str]:
    """Yield packages of the project's for which a dependency has files, but no code."""
    for name, is_folder in _importable(own, f"{PROJECT}/{inside}"):
        path = f"{inside}{name}/"
        here, there = f"{PROJECT}/{path}", f"{LIB}/{path}"
        if not is_folder or not _has(locked, there):
            continue
        init = f"{here}{_INIT}"
        if not _has(own, init):
            yield from _hidden(own, locked, read, path)
        elif not _has_code(locked, there) and not _LOOKS.search(read(init)):
            yield path.rstrip("/")


def _is_torn(
    own: Sequence[str], locked: Sequence[str], read: Callable[[str], str], here: str, there: str
) -> bool:
    """Say whether a package that may be in both folders has parts that would not be found."""
    init = f"{here}{_INIT}"
    if _has(own, init):
        return _has_code(locked, there) and not _LOOKS.search(read(init))
    init = f"{there}{_INIT}"
    return _has(locked, init) and not _LOOKS.search(read(init))


def _importable(paths: Sequence[str], folder: str) -> Iterator[tuple[str, bool]]:
    """Yield the names in a folder that may be imported, and whether each is a folder."""
    found: dict[str, bool] = {}
    for path in _below(paths, folder):
        name, slash, _ = path[len(folder) :].partition("/")
        module = None if slash else _MODULE.fullmatch(name)
        if slash and name.isidentifier():
            found[name] = True
        elif module is not None and name != _INIT:
            found.setdefault(module[1], False)
    yield from sorted(found.items())


def _is_module(paths: Sequence[str], folder: str, name: str) -> bool:
    return any(_MODULE.fullmatch(path[len(folder) :]) for path in _below(paths, f"{folder}{name}."))


def _has_code(paths: Sequence[str], folder: str) -> bool:
    return any(_MODULE.fullmatch(path.rpartition("/")[2]) for path in _below(paths, folder))


def _has(paths: Sequence[str], begin: str) -> bool:
    return next(_below(paths, begin), None) is not None


def _below(paths: Sequence[str], begin: str) -> Iterator[str]:
    """Yield the paths that begin like this, of paths in order."""
    for number in range(bisect_left(paths, begin), len(paths)):
        if not paths[number].startswith(begin):
            return
        yield paths[number]
