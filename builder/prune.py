"""Leave out of dependencies what nobody runs: their tests, their documentation, stray caches."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from castoff.builder.distributions import Distribution
from castoff.builder.globs import compile_glob
from castoff.builder.normalise import write_record
from castoff.config.values import PRUNED
from castoff.store.manifest import Pruned

# Folders by name. `test` and `testing` are not among them: `django.test` and `numpy.testing` are
# what a program may well import.
_TESTS = frozenset({"tests"})
_DOCS = frozenset({"docs", "doc", "examples", "man"})
_CACHES = frozenset({".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", ".tox", ".nox"})
_RELATIVE = re.compile(
    r"^\s*from\s+(?P<path>\.[\w.]*)\s+import\s+(?P<names>[\w ,(]+)", re.MULTILINE
)
_STRAY = frozenset({".DS_Store", "Thumbs.db", ".coverage"})


@dataclass(frozen=True, slots=True)
class _Rules:
    words: frozenset[str]
    globs: tuple[re.Pattern[str], ...]

    def fit(self, lib: Path, name: str) -> bool:
        """Return whether a file of a distribution is one that they leave out."""
        *folders, last = PurePosixPath(name).parts
        if "tests" in self.words and _TESTS.intersection(folders):
            return True
        if "caches" in self.words and (_CACHES.intersection(folders) or last in _STRAY):
            return True
        if "docs" in self.words and _is_document(lib, folders):
            return True
        return any(glob.fullmatch(name) or glob.fullmatch(f"lib/{name}") for glob in self.globs)


def prune(lib: Path, distributions: Sequence[Distribution], rules: Sequence[str]) -> Pruned:
    """Remove what the rules name, and write the RECORD of each distribution that had it anew.

    Only files that a RECORD lists are removed. These stay, whatever a rule says: metadata; what
    another distribution lists as well; the scripts in `bin`; and folders of tests that something
    outside of them imports or an entry point names.

    Args:
        lib: The installed `lib/`, normalised and without byte code.
        distributions: All that is in it.
        rules: `tests`, `docs`, `caches`, or globs of paths in the release, as in `lib/x/*.dat`;
            what they begin with may be left out.

    Raises:
        SourceError: A rule is no glob.
    """
    words = frozenset(rules) & frozenset(PRUNED)
    globs = tuple(compile_glob(one, key="prune") for one in rules if one not in words)
    chosen = _Rules(words, globs)
    owners = Counter(name for one in distributions for name in set(one.files))
    found = {
        one.info: [
            name
            for name in one.files
            if owners[name] == 1
            and not _is_kept(name)
            and (lib / name).is_file()
            and chosen.fit(lib, name)
        ]
        for one in distributions
    }
    needed = _needed(lib, distributions, {name for names in found.values() for name in names})
    files = size = 0
    for distribution in distributions:
        names = [name for name in found.get(distribution.info, ()) if name not in needed]
        for name in names:
            files += 1
            size += (lib / name).stat().st_size
            (lib / name).unlink()
            remove_empty(lib, (lib / name).parent)
        if names:
            write_record(lib, distribution)
    return Pruned(files=files, size=size)


def _is_kept(name: str) -> bool:
    first = PurePosixPath(name).parts[0]
    return first.endswith(".dist-info") or first in ("bin", "..")


def _is_document(lib: Path, folders: Sequence[str]) -> bool:
    """Return whether one of a file's folders is for documents, and is no package to import."""
    return any(
        folder in _DOCS and not (lib.joinpath(*folders[: index + 1]) / "__init__.py").exists()
        for index, folder in enumerate(folders)
    )


def _needed(lib: Path, distributions: Sequence[Distribution], doomed: set[str]) -> set[str]:
    """Return the files of packages of tests that what stays imports, or an entry point names."""
    packages = {package for name in doomed for package in _packages(name)}
    if not packages:
        return set()
    modules = {one for each in distributions for one in _entry_modules(each)}
    wanted = {
        package
        for package in packages
        if any(one == package or one.startswith(f"{package}.") for one in modules)
    }
    spoken = re.compile("|".join(rf"\b{re.escape(one)}\b" for one in sorted(packages)))
    for distribution in distributions:
        for name in distribution.files:
            if name in doomed or not name.endswith(".py") or not (lib / name).is_file():
                continue
            text = (lib / name).read_text(encoding="utf-8", errors="replace")
            if "tests" not in text:
                continue
            wanted.update(_imported(text, spoken))
            wanted.update(packages.intersection(_relative(name, text)))
    return {name for name in doomed if wanted.intersection(_packages(name))}


def _packages(name: str) -> Iterator[str]:
    """Yield the packages of tests that a file lies in, in dots."""
    *folders, _ = PurePosixPath(name).parts
    for index, folder in enumerate(folders):
        if folder in _TESTS:
            yield ".".join(folders[: index + 1])


def _imported(text: str, spoken: re.Pattern[str]) -> Iterator[str]:
    """Yield packages that an import or a string names in full, `from a.b import tests` too."""
    flat = re.sub(r"\bfrom\s+([\w.]+)\s+import\s+tests\b", r"import \1.tests", text)
    for match in spoken.finditer(flat):
        yield match[0]


def _relative(name: str, text: str) -> Iterator[str]:
    """Yield packages of tests that a module imports by their place beside it."""
    parents = PurePosixPath(name).parts[:-1]
    for match in _RELATIVE.finditer(text):
        dots = len(match["path"]) - len(match["path"].lstrip("."))
        base = parents[: len(parents) - dots + 1]
        path = [part for part in match["path"].lstrip(".").split(".") if part]
        for index, part in enumerate(path):
            if part in _TESTS:
                yield ".".join((*base, *path[: index + 1]))
        if "tests" in re.findall(r"\w+", match["names"]):
            yield ".".join((*base, *path, "tests"))


def _entry_modules(distribution: Distribution) -> Iterator[str]:
    path = distribution.info / "entry_points.txt"
    if not path.is_file():
        return
    parser = ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8", errors="replace"))
    except ConfigParserError:
        # Launchers complain of it where it matters.
        return
    for group in parser.sections():
        for _, reference in parser.items(group):
            yield reference.partition(":")[0].strip()


def remove_empty(lib: Path, folder: Path) -> None:
    """Remove a folder in `lib`, and those above it, as far as nothing is in them."""
    while folder != lib and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
