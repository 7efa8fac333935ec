"""What a host must offer to run a tree, from its wheels' tags and its compiled files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from packaging.specifiers import SpecifierSet

from castoff.builder.distributions import Distribution
from castoff.builder.errors import SourceError
from castoff.builder.interpreter import Interpreter
from castoff.builder.launchers import Acceptable
from castoff.builder.layer import Layer
from castoff.builder.rows import FILE, PROGRAM, Rows, TreeFile
from castoff.builder.tree import Tree
from castoff.store.manifest import Target

# PEP 513, 571, 599, 600.
_LEGACY = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_MANYLINUX = re.compile(r"manylinux_(\d+)_(\d+)_")
# PEP 656.
_MUSLLINUX = re.compile(r"musllinux_(\d+)_(\d+)_")
_EXACT_ABI = re.compile(r"[cp]p\d+|pypy\w+")
_EXACT_FILE = re.compile(r"\.(?:cpython-\d+|pypy\d+)[\w-]*\.so$")
# PEP 384; an interpreter without a global lock does not look for it.
_STABLE = "abi3"
_STABLE_FILE = ".abi3.so"
_CPYTHON = re.compile(r"cp3(\d+)")
_SYMBOL = re.compile(rb"GLIBC_(\d+)\.(\d+)")
_ELF = b"\x7fELF"
# musl has no symbol versions; what is linked with it now needs 1.2, of 2020, or later.
_MUSL_LIBRARY = b"libc.musl-"
_MUSL = (1, 2)
_MINORS = range(100)

_Version = tuple[int, int]
_NONE: _Version = (0, 0)

# Ends of names of files that no machine runs: the loader and Python look for others.
_TEXT = (
    ".py",
    ".pyc",
    ".pyi",
    ".html",
    ".js",
    ".css",
    ".json",
    ".md",
    ".txt",
    ".po",
    ".mo",
    ".svg",
)
NOTHING = Target(python="", exact_python=False, requires_python="", machine="", glibc="")


def detect(
    tree: Tree,
    distributions: Sequence[Distribution],
    *,
    interpreter: Interpreter,
    requires_python: str,
    musl: bool = False,
) -> Target:
    """Return the target of a tree.

    A wheel's own tags say which Python and C library it needs; of several platform tags the lowest
    version is enough. Compiled files that no such tag speaks for (a wheel that was built here, a
    library in `app/`) are read for the glibc symbols that they ask for.

    Args:
        tree: What `walk` found.
        distributions: What is installed in it.
        interpreter: The hosts' Python.
        requires_python: The project's own constraint.
        musl: Whether the hosts' C library is musl; decides for wheels that serve both.
    """
    tags = [_Tags(one.tags) for one in distributions]
    found = look(tree, tree.own_files, distributions)
    if tree.layer is not None:
        found = found.with_those(layer_needs(tree.layer, distributions))
    needs = [tag.needs(musl=musl) for tag in tags]
    names = (*_libraries(tree.layer), *(file.path for file in tree.own_files))
    bound = found.compiled or any(tag.platform for tag in tags)
    return Target(
        python=interpreter.version,
        exact_python=_is_exact(names, tags),
        abi=_abi(names, tags, interpreter),
        requires_python=requires_python,
        machine=interpreter.machine if bound else "",
        glibc=_dotted(max((found.glibc, *(glibc for glibc, _ in needs)))),
        musl=_dotted(max((found.musl, *(musl for _, musl in needs)))),
    )


@dataclass(frozen=True, slots=True)
class Needs:
    """What some files need of a host, by their names and their content.

    Attributes:
        compiled: Whether a machine runs one for which no wheel's tag speaks.
        glibc: The least that they are content with.
        musl: The same for musl.
    """

    compiled: bool
    glibc: _Version
    musl: _Version

    def with_those(self, other: Needs) -> Needs:
        """Return what these files and those others need."""
        return Needs(
            self.compiled or other.compiled,
            max(self.glibc, other.glibc),
            max(self.musl, other.musl),
        )


class Content(Protocol):
    """What files can be read from."""

    def read_file(self, file: TreeFile, start: int, length: int) -> bytes:
        """Return a part of a file, unchecked; less at its end."""


def look(
    content: Content, files: Iterable[TreeFile], distributions: Sequence[Distribution]
) -> Needs:
    """Return what some files of a tree need.

    Args:
        content: Where they are.
        files: The files.
        distributions: What is installed in their tree.
    """
    spoken_for = _spoken_for(distributions)
    compiled, needs = False, [(_NONE, _NONE)]
    for file in files:
        # To open every file of a release takes longer than all else here.
        if file.path in spoken_for or file.path.endswith(_TEXT):
            continue
        if content.read_file(file, 0, len(_ELF)) == _ELF:
            compiled = True
            needs.append(_read_elf(content.read_file(file, 0, file.size)))
    return Needs(compiled, max(one for one, _ in needs), max(one for _, one in needs))


def layer_needs(layer: Layer, distributions: Sequence[Distribution]) -> Needs:
    """Return what a layer's files need, by an earlier build's word where there is one.

    Args:
        layer: The layer.
        distributions: What is in it.
    """
    if layer.settled is None:
        return look(layer, layer.rows.files, distributions)
    known = layer.settled.facts["needs"]
    glibc, musl = known["glibc"], known["musl"]
    return Needs(known["compiled"], (glibc[0], glibc[1]), (musl[0], musl[1]))


def acceptable(
    tree: Path,
    distributions: Sequence[Distribution],
    *,
    interpreter: Interpreter,
    requires_python: str,
    layer: Layer | None = None,
) -> Acceptable:
    """Return which interpreters launchers accept.

    Without compiled extensions: what the project's constraint allows, from its lowest version up;
    without a constraint, from the version of the build up. A limited-API wheel (abi3) raises it.

    Args:
        tree: The tree so far.
        distributions: What is installed in it.
        interpreter: The hosts' Python.
        requires_python: The project's own constraint.
        layer: What belongs to the tree and is not in its folder.

    Raises:
        SourceError: The constraint forbids the interpreter of the build.
    """
    tags = [_Tags(one.tags) for one in distributions]
    least = _lowest(requires_python, interpreter)
    least = max([least, *(tag.least for tag in tags)])
    names = (*_libraries(layer), *_named_so(tree))
    exact, abi = _is_exact(names, tags), _abi(names, tags, interpreter)
    return Acceptable(interpreter.version, exact, f"3.{least}", abi)


def _named_so(tree: Path) -> Iterator[str]:
    for _, folders, files in os.walk(tree):
        yield from (name for name in (*folders, *files) if name.endswith(".so"))


class _Tags:
    """The tags of one wheel, taken together.

    Attributes:
        exact: Whether it runs on one minor version alone.
        stable: Whether it has extensions for the stable ABI of any version with a global lock.
        least: The least minor version by its interpreter tag.
        platform: Whether it is for one kind of machine.
        glibc: The least glibc that one of its tags is content with; None if no tag says.
        musl: The same for musl.
    """

    def __init__(self, tags: Sequence[str]) -> None:
        parts = [tag.split("-") for tag in tags if tag.count("-") == 2]  # noqa: PLR2004
        self.exact = bool(parts) and all(_EXACT_ABI.match(abi) for _, abi, _ in parts)
        self.stable = bool(parts) and all(abi == _STABLE for _, abi, _ in parts)
        self.platform = bool(parts) and all(platform != "any" for _, _, platform in parts)
        self.glibc = min(_floors(platform for _, _, platform in parts), default=None)
        self.musl = min(_musl_floors(platform for _, _, platform in parts), default=None)
        found = [_CPYTHON.fullmatch(python) for python, _, _ in parts]
        self.least = min((int(one[1]) if one else 0 for one in found), default=0)

    def needs(self, *, musl: bool) -> tuple[_Version, _Version]:
        """Return the least glibc and the least musl; of the two only what hosts have counts."""
        if self.glibc is not None and self.musl is not None:
            return (_NONE, self.musl) if musl else (self.glibc, _NONE)
        return self.glibc or _NONE, self.musl or _NONE


def _libraries(layer: Layer | None) -> Iterable[str]:
    """Return the files of a layer whose names may tell which Python they are for."""
    if layer is None:
        return ()
    if layer.settled is not None:
        known: list[str] = layer.settled.facts["libraries"]
        return known
    return libraries(layer.rows)


def libraries(rows: Rows) -> list[str]:
    """Return the shared libraries among some files, by their names."""
    return [path for path in rows.of_kind(FILE, PROGRAM) if path.endswith(".so")]


def _is_exact(names: Iterable[str], tags: Sequence[_Tags]) -> bool:
    return any(tag.exact for tag in tags) or any(_EXACT_FILE.search(name) for name in names)


def _abi(names: Sequence[str], tags: Sequence[_Tags], interpreter: Interpreter) -> str:
    """Return the ABI that extensions need, as the manifest's target has it."""
    if _is_exact(names, tags):
        return f"cp{interpreter.version.replace('.', '')}t" if interpreter.free_threaded else ""
    stable = any(tag.stable for tag in tags) or any(name.endswith(_STABLE_FILE) for name in names)
    return _STABLE if stable else ""


def _floors(platforms: Iterable[str]) -> Iterable[tuple[int, int]]:
    for platform in platforms:
        legacy = _LEGACY.get(platform.partition("_")[0])
        named = _MANYLINUX.match(platform)
        if legacy is not None:
            yield legacy
        elif named is not None:
            yield int(named[1]), int(named[2])


def _musl_floors(platforms: Iterable[str]) -> Iterable[tuple[int, int]]:
    for platform in platforms:
        named = _MUSLLINUX.match(platform)
        if named is not None:
            yield int(named[1]), int(named[2])


def _spoken_for(distributions: Sequence[Distribution]) -> frozenset[str]:
    """Return the files of all wheels whose tags say which C library they need."""
    tags = [_Tags(one.tags) for one in distributions]
    return frozenset(
        path
        for one, tag in zip(distributions, tags, strict=True)
        if tag.glibc is not None or tag.musl is not None
        for path in one.paths
    )


def _read_elf(content: bytes) -> tuple[_Version, _Version]:
    """Return the highest glibc symbol version in an ELF file's string table, and musl's."""
    found = [(int(major), int(minor)) for major, minor in _SYMBOL.findall(content)]
    return max(found, default=_NONE), _MUSL if _MUSL_LIBRARY in content else _NONE


def _dotted(version: _Version) -> str:
    return f"{version[0]}.{version[1]}" if any(version) else ""


def _lowest(requires_python: str, interpreter: Interpreter) -> int:
    constraint = SpecifierSet(requires_python)
    if not constraint.contains(interpreter.full_version, prereleases=True):
        raise SourceError(
            f"the project requires Python {requires_python}, and what it is built for is "
            f"{interpreter.full_version}",
            hint="Name another with `python` under [apps.NAME.build] in castoff.toml, or under "
            "[apps.NAME.build.target] if that is there.",
        )
    built = int(interpreter.version.partition(".")[2])
    if not requires_python:
        return built
    # By the last patch release there could be: a bound such as >=3.10.2 allows 3.10.
    allowed = (n for n in _MINORS if constraint.contains(f"3.{n}.999", prereleases=True))
    return min(allowed, default=built)
