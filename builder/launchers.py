"""Write `bin/`: a relocatable launcher for every script of everything that is installed.

`bin/python` is the interpreter itself, for `-m`, `-c` and scripts: it is started with the
release's `project`, `lib` and `app` in PYTHONPATH, which its children inherit. Unlike in the other
launchers `.pth` files are not read there, and the host's own packages can still be imported, after
the release's: the interpreter's arguments are its user's, so nothing of ours runs before them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from castoff.builder.distributions import Distribution
from castoff.builder.errors import BuildError
from castoff.builder.launcher_text import CALL, FIND, PROGRAM, PYTHON, RUN
from castoff.builder.layer import Layer
from castoff.store.places import INSTALLED

_REFERENCE = re.compile(r"\s*([\w.]+)\s*(?::\s*([\w.]+)\s*)?(?:\[.*\])?\s*")
_NAME = re.compile(r"[^/\s\0-\x1f]+")
_SHEBANG = b"#!/usr/bin/env python3\n"
# Links, one behind another.
_MOST_FOLLOWED = 40


@dataclass(frozen=True, slots=True)
class Acceptable:
    """Which interpreters may run the release.

    Attributes:
        minor: The version that it was built with, `3.11`.
        exact: Whether only that will do.
        least: Otherwise the least that will, `3.9`.
        abi: As the manifest's target has it.
    """

    minor: str
    exact: bool
    least: str
    abi: str = ""

    @property
    def free_threaded(self) -> bool:
        """Whether only an interpreter without a global lock will do."""
        return self.abi.endswith("t")

    @property
    def condition(self) -> str:
        """Python that is true on an acceptable interpreter."""
        if self.exact:
            version = f"sys.version_info[:2] == ({self.minor.replace('.', ', ')})"
        else:
            version = f"sys.version_info[:2] >= ({self.least.replace('.', ', ')})"
        if not self.exact and not self.abi:
            return version
        free = '"t" in' if self.free_threaded else '"t" not in'
        return f'{version} and {free} getattr(sys, "abiflags", "")'

    @property
    def words(self) -> str:
        """The same for people."""
        if self.exact:
            return f"{self.minor}{'t' if self.free_threaded else ''}"
        return f"{self.least} or later{' with a global lock' if self.abi else ''}"

    @property
    def names(self) -> str:
        """What it may be called, the best first, with blanks between."""
        free = f"python{self.minor}t " if self.free_threaded else ""
        return f"{free}python{self.minor} python3"


def write_launchers(
    tree: Path,
    distributions: Sequence[Distribution],
    acceptable: Acceptable,
    layer: Layer | None = None,
) -> tuple[str, ...]:
    """Write all launchers; return their names in order, without `python`.

    Args:
        tree: The release's tree, all that is installed in it normalised.
        distributions: That.
        acceptable: Which interpreters will do.
        layer: What fills `lib/` where it is not in the tree's folder.

    Raises:
        BuildError: Two distributions have a script of the same name, or one has a name or an
            object reference that no launcher can have.
    """
    folder = tree / "bin"
    folder.mkdir()
    owners: dict[str, str] = {"python": "the release's interpreter"}
    for distribution in distributions:
        for name, reference in sorted(distribution.scripts().items()):
            _claim(owners, name, distribution.name)
            _write(folder / name, _program(_call(name, reference, distribution), acceptable))
    for place in INSTALLED:
        if layer is not None and layer.under == place:
            brought = _brought_by(layer)
        else:
            brought = _brought(tree / place)
        for name, by_python in sorted(brought):
            _claim(owners, name, f"{place}/bin/{name}")
            if by_python:
                _write(folder / name, _program(RUN.format(place=place, script=name), acceptable))
            else:
                (folder / name).symlink_to(f"../{place}/bin/{name}")
    _write(folder / "python", PYTHON.format(find=_find(acceptable)))
    del owners["python"]
    return tuple(sorted(owners))


def _brought(place: Path) -> Iterator[tuple[str, bool]]:
    """Yield the scripts that wheels brought themselves, and whether Python runs each."""
    for path in (place / "bin").glob("*"):
        if path.is_file():
            yield path.name, path.read_bytes().startswith(_SHEBANG)


def _brought_by(layer: Layer) -> Iterator[tuple[str, bool]]:
    """Yield the same of a layer."""
    folder = f"{layer.under}/bin"
    for path in layer.rows.inside(folder):
        target, left = path, _MOST_FOLLOWED
        while target in layer.rows.targets and left:
            beside = posixpath.dirname(target)
            target = posixpath.normpath(posixpath.join(beside, layer.rows.targets[target]))
            left -= 1
        number = layer.rows.index.get(target)
        if number is not None and layer.rows.is_file(number):
            yield posixpath.basename(path), layer.read(target, 0, len(_SHEBANG)) == _SHEBANG


def parse_reference(reference: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the module and the names to follow in it of `package.module:object.name`.

    Format: https://packaging.python.org/en/latest/specifications/entry-points/
    None if it has another form, or no object to call.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None or match[2] is None:
        return None
    return match[1], tuple(match[2].split("."))


def _claim(owners: dict[str, str], name: str, owner: str) -> None:
    if not _NAME.fullmatch(name) or name in (".", ".."):
        raise BuildError(f"{owner}: a script cannot be named {name!r}")
    if name in owners:
        raise BuildError(f"two scripts are named {name!r}: of {owners[name]} and of {owner}")
    owners[name] = owner


def _call(name: str, reference: str, distribution: Distribution) -> str:
    parsed = parse_reference(reference)
    if parsed is None:
        raise BuildError(
            f"{distribution.name}: script {name!r} does not name a function: {reference!r}"
        )
    return CALL.format(module=parsed[0], names=parsed[1])


def _program(start: str, acceptable: Acceptable) -> str:
    return PROGRAM.format(
        find=_find(acceptable),
        condition=acceptable.condition,
        wanted=acceptable.words,
        start=start,
    )


def _find(acceptable: Acceptable) -> str:
    check = f"import sys; sys.exit(not ({acceptable.condition}))"
    return FIND.format(check=check, names=acceptable.names, wanted=acceptable.words)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
