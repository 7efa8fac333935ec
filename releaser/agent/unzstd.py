"""Unpack Zstandard frames that were made against other content, by Python itself or a program.

The format is that of RFC 8878; Python has it from 3.14 on, `zstd --patch-from` from 1.4.5 on.
Either holds what a frame was made against and what comes of it in memory, and refuses more.
"""

from __future__ import annotations

import os
import re
import subprocess

from .durable import write_all
from .errors import AgentError
from .interpreter import find_program
from .patch import MOST_OF_A_FRAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    # From the content that a frame was made against, and the frame, to what it holds, in blocks.
    Unpack = Callable[[Iterable[bytes], Iterable[bytes]], Iterator[bytes]]

_BLOCK = 256 * 1024
# What compressors take no notice of, and unpackers refuse (ZSTD_CCtx_loadDictionary).
_LEAST_REFERENCE = 8
_VERSION = re.compile(rb"v(\d+)\.(\d+)\.(\d+)")
_FIRST_WITH_PATCHES = (1, 4, 5)
# Seconds.
_PATIENCE = 10.0


def find_unpacker(folder: str) -> Unpack | None:
    """Return what unpacks frames on this host, or None if nothing can.

    Args:
        folder: Where a program finds what it needs; made and emptied by whoever calls.
    """
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore] # novm
    except ImportError:
        program = find_program("zstd")
        if program is None or not _has_patches(program):
            return None
        return lambda reference, frame: by_program(program, folder, reference, frame)
    return lambda reference, frame: by_python(zstd, reference, frame)


def _has_patches(program: str) -> bool:
    try:
        told = subprocess.run(
            [program, "--version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    found = _VERSION.search(told)
    return found is not None and tuple(map(int, found.groups())) >= _FIRST_WITH_PATCHES


def by_python(zstd: Any, reference: Iterable[bytes], frame: Iterable[bytes]) -> Iterator[bytes]:
    """Yield what a frame holds, by a module such as Python 3.14's `compression.zstd`.

    Raises:
        AgentError: `corrupt`: it cannot be unpacked, or not in the memory that is allowed.
    """
    before = b"".join(reference)
    prefix = None
    if len(before) >= _LEAST_REFERENCE:
        prefix = zstd.ZstdDict(before, is_raw=True).as_prefix
    del before
    limit = {zstd.DecompressionParameter.window_log_max: MOST_OF_A_FRAME.bit_length() - 1}
    machine = zstd.ZstdDecompressor(zstd_dict=prefix, options=limit)
    packed = iter(frame)
    try:
        while not machine.eof:
            fed = next(packed, b"") if machine.needs_input else b""
            if machine.needs_input and not fed:
                raise _damaged()
            block = machine.decompress(fed, _BLOCK)
            if block:
                yield block
    except zstd.ZstdError as error:
        raise _damaged() from error


def by_program(
    program: str, folder: str, reference: Iterable[bytes], frame: Iterable[bytes]
) -> Iterator[bytes]:
    """Yield what a frame holds, by the program `zstd`; raises as `by_python`.

    Args:
        program: Its path.
        folder: Where its files go.
        reference: What the frame was made against.
        frame: The frame.
    """
    before, packed = os.path.join(folder, "before"), os.path.join(folder, "frame.zst")
    _write(packed, frame)
    # It takes what it is allowed, and what the old content takes if that is more.
    argv = [program, "-d", "-c", "-q", f"--memory={MOST_OF_A_FRAME}"]
    if _write(before, reference) >= _LEAST_REFERENCE:
        argv.append(f"--patch-from={before}")
    process = subprocess.Popen(
        [*argv, packed],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
    )
    assert process.stdout is not None  # noqa: S101 (for the type; a pipe was asked for)
    try:
        while True:
            block = process.stdout.read(_BLOCK)
            if not block:
                break
            yield block
        if process.wait():
            raise _damaged()
    finally:
        process.stdout.close()
        process.kill()
        process.wait()


def _write(path: str, blocks: Iterable[bytes]) -> int:
    """Write a file in place of the one before; return how many bytes it has."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    written = 0
    try:
        for block in blocks:
            write_all(descriptor, block)
            written += len(block)
    finally:
        os.close(descriptor)
    return written


def _damaged() -> AgentError:
    return AgentError("corrupt", "it cannot be unpacked")
