"""Write a zip whose bytes depend on nothing but its entries, and say where each one's data lie."""

from __future__ import annotations

import hashlib
import struct
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from castoff.builder.rows import TreeFile
from castoff.builder.tree import check_unchanged
from castoff.store.filetable import Codec, Member

_BLOCK = 1024 * 1024
_FILE = 0o100000
# What a zip can say: 1980 to 2107 (APPNOTE 4.4.6, MS-DOS date and time).
_FIRST, _LAST = 315_532_800, 4_354_819_198
# The local header's length without name and extra field, whose lengths stand at byte 26.
_HEADER, _LENGTHS = 30, 26


@dataclass(frozen=True, slots=True)
class Entry:
    """One file to be written.

    Attributes:
        content: Its bytes, or the file that holds them.
        found: What `walk` found of that file; it must be that still.
    """

    content: bytes | Path
    executable: bool
    found: TreeFile | None = None


def write_zip(
    target: Path, entries: Mapping[str, Entry], *, shebang: bytes, moment: int
) -> dict[str, Member]:
    """Write a zip behind a shebang line; return the place of each entry's data by its name.

    Args:
        target: The file to write; it becomes executable.
        entries: What is in it, by name; it is written in the order of names.
        shebang: The line before it, with its newline.
        moment: Time of every entry, seconds since the epoch, cut off to what a zip can say.

    Raises:
        BuildError: A file is no longer what `walk` found.
    """
    now = time.gmtime(min(max(moment, _FIRST), _LAST))
    stamp = (now.tm_year, now.tm_mon, now.tm_mday, now.tm_hour, now.tm_min, now.tm_sec)
    with target.open("wb") as file:
        file.write(shebang)
        with zipfile.ZipFile(file, "w") as archive:
            for name in sorted(entries, key=str.encode):
                _write(archive, name, entries[name], stamp)
            written = archive.infolist()
    target.chmod(0o755)
    with target.open("rb") as file:
        return {info.filename: _member(file, info) for info in written}


def _write(
    archive: zipfile.ZipFile, name: str, entry: Entry, stamp: tuple[int, int, int, int, int, int]
) -> None:
    content = entry.content
    info = zipfile.ZipInfo(name, date_time=stamp)
    info.file_size = len(content) if isinstance(content, bytes) else content.stat().st_size
    info.compress_type = zipfile.ZIP_DEFLATED if info.file_size else zipfile.ZIP_STORED
    # Unix, whatever machine this is (APPNOTE 4.4.2).
    info.create_system = 3
    info.external_attr = (_FILE | (0o755 if entry.executable else 0o644)) << 16
    with archive.open(info, "w") as out:
        if isinstance(content, bytes):
            out.write(content)
            return
        digest, left = hashlib.sha256(), info.file_size
        with content.open("rb") as file:
            while left and (block := file.read(min(left, _BLOCK))):
                digest.update(block)
                left -= len(block)
                out.write(block)
        if entry.found is not None:
            check_unchanged(entry.found, info.file_size - left, digest.hexdigest())


def _member(file: BinaryIO, info: zipfile.ZipInfo) -> Member:
    """Return where an entry's data lie: behind its local header (APPNOTE 4.3.7)."""
    file.seek(info.header_offset + _LENGTHS)
    name, extra = struct.unpack("<HH", file.read(4))
    offset = info.header_offset + _HEADER + name + extra
    file.seek(offset)
    digest, left = hashlib.sha256(), info.compress_size
    while left:
        block = file.read(min(left, _BLOCK))
        digest.update(block)
        left -= len(block)
    codec: Codec = "deflate" if info.compress_type == zipfile.ZIP_DEFLATED else "stored"
    return Member(offset, info.compress_size, info.file_size, digest.hexdigest(), codec)
