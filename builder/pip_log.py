"""What pip's log says of the files that it did not take.

pip names the first package that has no file that fits, and not which files it has; its log, which
holds more than it prints, has a line for each of them:
https://pip.pypa.io/en/stable/cli/pip/#cmdoption-log
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

_SKIPPED = re.compile(r"Skipping link: [^\n]*?((?:https?|file)://\S+)")


def skipped(log: str, package: str) -> list[str]:
    """Return the names of a package's files that pip found and did not take.

    Args:
        log: What pip has logged.
        package: Its name and version, `lxml 5.3.0`.
    """
    name, _, version = package.partition(" ")
    try:
        wanted = (canonicalize_name(name), Version(version))
    except InvalidVersion:
        return []
    files = {PurePosixPath(unquote(urlsplit(link).path)).name for link in _SKIPPED.findall(log)}
    return sorted(file for file in files if wanted in _named(file))


def _named(file: str) -> Iterator[tuple[str, Version]]:
    """Yield the name and version that a file's name holds, if it is one of wheels or sources."""
    try:
        yield (
            parse_wheel_filename(file)[:2] if file.endswith(".whl") else parse_sdist_filename(file)
        )
    except (InvalidWheelFilename, InvalidSdistFilename):
        return
