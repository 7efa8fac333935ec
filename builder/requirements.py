"""Requirements files: whether every line is pinned to digests, and which are local folders."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from castoff.builder.errors import SourceError
from castoff.builder.markers import NoMarker, applies

_COMMENT = re.compile(r"(?:^|\s)#.*$")
_HASH = re.compile(r"\s--hash=sha(?:256|384|512):[0-9a-fA-F]+")
_LOCAL = re.compile(r"(?:-e\s+|--editable[ =])?(\.{1,2}(?:/[^\s;]*)?)(?=\s|;|$)")
_NESTED = re.compile(r"(?:-r|--requirement|-c|--constraint)\b")
_OPTION = re.compile(r"-")
_FIND_LINKS = re.compile(r"(?:--find-links(?:\s*=\s*|\s+)|-f\s*)(?P<place>\S.*)")
# A URL, a path from the root, or what a variable says.
_ANYWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|/|\$\{")


@dataclass(frozen=True, slots=True)
class Requirements:
    """A requirements file, sorted out.

    Attributes:
        pinned: The text without the local folders; every requirement in it has a digest.
        local: Folders of other projects in the repository, as written, relative to the file.
    """

    pinned: str
    local: tuple[str, ...]


def requirements_text(path: Path, *, name: str) -> str:
    """Return the content of a requirements file.

    Args:
        path: Where it lies.
        name: What it is called in messages.

    Raises:
        SourceError: It cannot be read, or is not UTF-8 (with or without a byte-order mark).
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(
            f"{name}: not a text in UTF-8: {error.reason} at byte {error.start}",
            hint="Save it as UTF-8. The `>` of Windows PowerShell writes UTF-16; "
            f"`| Out-File -Encoding utf8 {name}` does not.",
        ) from error
    except OSError as error:
        raise SourceError(f"{name}: {error.strerror}") from error


def read_requirements(text: str, *, name: str) -> Requirements:
    """Sort a requirements file out.

    Args:
        text: Its content.
        name: What it is called in messages.

    Raises:
        SourceError: A requirement has no digest (all that have none are named), or the file
            takes others in, whose digests nobody would have checked here.
    """
    pinned: list[str] = []
    local: list[str] = []
    bare: list[str] = []
    for entry in _entries(text):
        folder = _LOCAL.match(entry)
        if folder is not None:
            local.append(folder[1])
        elif _NESTED.match(entry):
            raise SourceError(f"{name}: takes another file in: {entry}", hint=_hint(name))
        elif _OPTION.match(entry) or _HASH.search(entry):
            pinned.append(entry)
        else:
            bare.append(re.split(r";| --", entry)[0].strip())
    if bare:
        shown = ", ".join(bare[:5]) + (f" and {len(bare) - 5} more" if len(bare) > 5 else "")  # noqa: PLR2004
        raise SourceError(
            f"{name}: without a hash nobody knows what will be installed: {shown}", hint=_hint(name)
        )
    return Requirements("\n".join((*pinned, "")), tuple(local))


def located(text: str, find: Callable[[str], Path]) -> str:
    """Return a requirements file that may lie anywhere: its folders of wheels are absolute.

    Args:
        text: Its content, an entry a line.
        find: Returns the folder that a path relative to the original file means.
    """
    return "".join(f"{_located(entry, find)}\n" for entry in text.splitlines())


def _located(entry: str, find: Callable[[str], Path]) -> str:
    match = _FIND_LINKS.match(entry)
    if match is None or _ANYWHERE.match(match["place"]):
        return entry
    # A URL, in which a space of the path ends nothing.
    return f"--find-links {find(match['place']).as_uri()}"


def applying(text: str, markers: Mapping[str, str], *, name: str) -> str:
    """Return a requirements file with only what applies somewhere, and without markers.

    Args:
        text: Its content.
        markers: The environment of PEP 508 markers.
        name: What it is called in messages.

    Raises:
        SourceError: A requirement cannot be read.
    """
    return "".join(f"{entry}\n" for entry in _applying(text, markers, name))


def _applying(text: str, markers: Mapping[str, str], name: str) -> Iterator[str]:
    for entry in _entries(text):
        if _OPTION.match(entry) or _LOCAL.match(entry):
            yield entry
            continue
        words, dashes, hashes = entry.partition(" --")
        try:
            one = Requirement(words)
            here = applies(one.marker, {**markers, "extra": ""})
        except (InvalidRequirement, NoMarker) as error:
            raise SourceError(f"{name}: cannot read {words!r}: {error}") from error
        if here:
            one.marker = None
            yield f"{one}{dashes}{hashes}"


def without(text: str, packages: Collection[str]) -> str:
    """Return a requirements file without some packages.

    Args:
        text: Its content.
        packages: Their names, normalised.
    """
    return "".join(f"{entry}\n" for entry in _entries(text) if _name(entry) not in packages)


def _name(entry: str) -> str | None:
    """Return the normalised name of a package that an entry asks for."""
    try:
        return canonicalize_name(Requirement(entry.partition(" --")[0]).name)
    except InvalidRequirement:
        return None


def _entries(text: str) -> Iterator[str]:
    """Yield the lines that say something, without comments."""
    for line in text.replace("\\\n", " ").splitlines():
        entry = _COMMENT.sub("", line).strip()
        if entry:
            yield entry


def _hint(name: str) -> str:
    if name.endswith(".lock"):
        return (
            "Lock it anew, so that every entry has the hashes of its files, and commit the result."
        )
    source = "requirements.in" if name.endswith("requirements.txt") else "pyproject.toml"
    return (
        f"Write what you need to {source}, then: castoff lock (or: uv pip compile "
        f"--generate-hashes {source} -o requirements.txt), and commit the result."
    )
