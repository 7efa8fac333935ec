"""What is installed: each distribution's name, version, files, tags and entry points."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from configparser import ConfigParser
from configparser import Error as ConfigParserError
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging.utils import canonicalize_name

from castoff.builder.errors import BuildError
from castoff.builder.licences import NONE, Licence, declared
from castoff.store.places import LIB

# The files of a `.dist-info` folder that are read here.
READ = frozenset({"METADATA", "WHEEL", "RECORD", "entry_points.txt"})


@dataclass(frozen=True, slots=True)
class Distribution:
    """An installed distribution, read from its `.dist-info` folder.

    Attributes:
        info: That folder.
        name: Its normalised name (PEP 503).
        version: As its metadata say.
        requires: Its `Requires-Dist`, as written.
        requires_python: Its constraint; may be empty.
        tags: The wheel's compatibility tags.
        generator: What made the wheel, by the wheel's own word; may be empty.
        files: What RECORD names, relative to `place`; none where an earlier build has looked at it.
        place: The folder of the tree that it is installed in.
        licence: What it says of its licence.
        known_scripts: What `scripts` returns where an earlier build has asked; else None.
    """

    info: Path
    name: str
    version: str
    requires: tuple[str, ...]
    requires_python: str
    tags: tuple[str, ...]
    generator: str
    files: tuple[str, ...]
    place: str = LIB
    licence: Licence = NONE
    known_scripts: Mapping[str, str] | None = None

    @property
    def paths(self) -> Iterator[str]:
        """What RECORD names, from the tree's top."""
        return (f"{self.place}/{name}" for name in self.files)

    def scripts(self) -> dict[str, str]:
        """Return the object reference of each console and GUI script by name.

        Raises:
            BuildError: entry_points.txt cannot be read.
        """
        if self.known_scripts is not None:
            return dict(self.known_scripts)
        path = self.info / "entry_points.txt"
        if not path.is_file():
            return {}
        parser = ConfigParser(delimiters=("=",), interpolation=None, strict=False)
        # Names of scripts differ by case; the parser would make them all small.
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        try:
            parser.read_string(path.read_text(encoding="utf-8"))
        except (ConfigParserError, UnicodeDecodeError) as error:
            raise BuildError(f"{self.name} {self.version}: entry_points.txt: {error}") from error
        groups = ("console_scripts", "gui_scripts")
        return {
            name: reference
            for group in groups
            if parser.has_section(group)
            for name, reference in parser.items(group)
        }


def installed(folder: Path, place: str = LIB) -> tuple[Distribution, ...]:
    """Return what is installed, by name.

    Args:
        folder: Where it is now; it may be missing.
        place: Where in the tree it will be.

    Raises:
        BuildError: One lacks a part that every installed wheel has.
    """
    found = [_read(info, place) for info in folder.glob("*.dist-info")]
    return tuple(sorted(found, key=lambda one: one.name))


def _read(info: Path, place: str) -> Distribution:
    try:
        metadata = _headers(info / "METADATA")
        wheel = _headers(info / "WHEEL")
        record = (info / "RECORD").read_text(encoding="utf-8")
        name, version = dict(metadata)["name"], dict(metadata)["version"]
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise BuildError(f"{info.name}: not an installed wheel: {error}") from error
    return Distribution(
        info=info,
        name=canonicalize_name(name),
        version=version,
        requires=tuple(text for key, text in metadata if key == "requires-dist"),
        requires_python=dict(metadata).get("requires-python", ""),
        tags=tuple(text for key, text in wheel if key == "tag"),
        generator=dict(wheel).get("generator", ""),
        files=tuple(_names(record)),
        place=place,
        licence=declared(metadata),
    )


def _headers(path: Path) -> list[tuple[str, str]]:
    message = HeaderParser().parsestr(path.read_text(encoding="utf-8", errors="replace"))
    return [(key.lower(), str(value)) for key, value in message.items()]


def _names(record: str) -> Iterator[str]:
    for row in csv.reader(record.splitlines()):
        if row:
            # What lies beside packages (scripts, data) pip names from where it put them at first,
            # two folders further down: `../../bin/tool`.
            yield row[0].removeprefix("../../")
