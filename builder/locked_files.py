"""Which of the files that a lock allows each dependency was installed from: its digest.

A lock allows all files of a version. Which wheel was installed its own tags say (PEP 425), by which
its file is named; what has the tags of no wheel was built from the sources.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.tags import Tag, parse_tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from castoff.builder.cache import Cache, key_of, own_code
from castoff.builder.distributions import Distribution
from castoff.builder.errors import BuildError
from castoff.builder.installer import IndexFile
from castoff.builder.installer_errors import explain
from castoff.builder.lock import Lock
from castoff.builder.stages import Progress
from castoff.builder.wheel import Workshop
from castoff.store import canonical

_STAGE = "files"
_HASH = re.compile(r"--hash=(sha\d+:[0-9a-fA-F]+)")
_SHA256 = "sha256:"


def installed_from(
    lock: Lock,
    distributions: Sequence[Distribution],
    workshop: Workshop,
    cache: Cache,
    progress: Progress,
    *,
    folder: Path,
    asked: Future[Mapping[str, Sequence[IndexFile]]] | None = None,
) -> Mapping[str, str]:
    """Return the SHA-256 of the file that each distribution came in, by its name.

    Args:
        lock: What they were installed from.
        distributions: Those that it names.
        workshop: For what and by what.
        cache: Where the answer is found again.
        progress: Told if it cannot be found out.
        folder: The app's folder, whose settings say which indexes to ask.
        asked: What `installer.files` will have returned of the lock, where it was asked before.

    Raises:
        BuildError: An index that has to be asked does not answer.
    """
    installer = workshop.installer
    key = key_of(
        {
            "files of": [[one.name, one.version, sorted(one.tags)] for one in distributions],
            "rules": own_code("locked_files.py"),
            "lock": lock.digest,
            "pylock": lock.pylock,
            "settings": lock.settings,
            "destination": workshop.destination.key(),
            installer.name: installer.version,
        }
    )
    kept = cache.read(_STAGE, key)
    if kept is not None:
        return {str(name): str(digest) for name, digest in json.loads(kept).items()}
    try:
        if asked is not None:
            files = asked.result()
        else:
            files = installer.files(lock, work=workshop.folder, folder=folder)
    except BuildError as error:
        reason = explain(error, lock.source, workshop.destination)
        if reason is not error:
            # Without digests the manifest would be another than once the index answers.
            raise reason from error
        progress("fetch", f"warning: no digests of dependencies: {error.message.splitlines()[0]}")
        return {}
    allowed = {} if lock.pylock else _allowed(lock)
    found = {}
    for one in distributions:
        digest = _digest(one, _candidates(files.get(one.name, ()), allowed.get(one.name)))
        if digest is not None:
            found[one.name] = digest
    cache.write(_STAGE, key, canonical.dumps(found))
    return found


def _allowed(lock: Lock) -> dict[str, set[str]]:
    """Return the digests that a lock allows, by distribution."""
    found: dict[str, set[str]] = {}
    for line in lock.file.read_text(encoding="utf-8").splitlines():
        try:
            name = canonicalize_name(Requirement(line.partition(" --")[0]).name)
        except InvalidRequirement:
            continue
        found.setdefault(name, set()).update(text.lower() for text in _HASH.findall(line))
    return found


def _candidates(files: Sequence[IndexFile], allowed: set[str] | None) -> list[IndexFile]:
    """Return the files that may have been installed; such as no index tells of, without a name."""
    if allowed is None:
        return list(files)
    known = [file for file in files if not file.digests.isdisjoint(allowed)]
    if not known and len(allowed) == 1:
        return [IndexFile("", frozenset(allowed))]
    return known


def _digest(distribution: Distribution, files: Sequence[IndexFile]) -> str | None:
    if len(files) > 1:
        tags = _together(distribution.tags)
        wheels = [(file, named) for file in files if (named := _named(file.name)) is not None]
        # A newer build of the same wheel has a higher number (PEP 427).
        fitting = sorted(
            ((named[0], file) for file, named in wheels if named[1] == tags),
            key=lambda one: one[0],
        )
        # Else one whose name has other tags than itself says, or there is none.
        files = [fitting[-1][1]] if fitting else [file for file, _ in wheels] or files
    digests = sorted({digest for file in files for digest in _sha256(file)})
    return digests[0] if len(digests) == 1 else None


def _together(tags: Sequence[str]) -> frozenset[Tag]:
    return frozenset(each for tag in tags if tag.count("-") == 2 for each in parse_tag(tag))  # noqa: PLR2004


def _named(name: str) -> tuple[Any, frozenset[Tag]] | None:
    """Return a wheel's build number and tags by its name; None for sources."""
    try:
        _, _, build, tags = parse_wheel_filename(name)
    except InvalidWheelFilename:
        return None
    return build, tags


def _sha256(file: IndexFile) -> Iterator[str]:
    for digest in file.digests:
        if digest.startswith(_SHA256):
            yield digest.removeprefix(_SHA256)
