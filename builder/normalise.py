"""Make an installed `lib/` the same whoever installed it, when, where and under which umask."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path

from castoff.builder.distributions import Distribution, installed

# Notes of the installer: when, from where and with which settings it put a distribution there.
_NOTES = ("direct_url.json", "uv_cache.json", "uv_build.json", "REQUESTED")
_PYTHON = (b"python", b"pypy")
_INSTALLER = "castoff\n"


def normalise(lib: Path) -> None:
    """Take away what differs from one machine to the next, and write RECORD and INSTALLER anew.

    Args:
        lib: What was installed; a folder that is missing is left so.

    Raises:
        BuildError: A distribution cannot be read.
    """
    for distribution in tidy(lib):
        write_record(lib, distribution)


def tidy(lib: Path) -> tuple[Distribution, ...]:
    """Do all that `normalise` does but write RECORD; return the distributions that need one.

    Scripts that were made from entry points go, as they name this machine's interpreter:
    `launchers` makes others. Scripts that a wheel brought itself stay in `lib/bin`, and look for
    their interpreter by name.

    Args:
        lib: See `normalise`.

    Raises:
        BuildError: A distribution cannot be read.
    """
    if not lib.is_dir():
        return ()
    (lib / ".lock").unlink(missing_ok=True)
    for folder, names, _ in os.walk(lib):
        # Nor is it gone into then.
        if "__pycache__" in names:
            names.remove("__pycache__")
            shutil.rmtree(Path(folder, "__pycache__"))
    # What has been normalised before, and may have come from the cache, stays as it is.
    distributions = tuple(one for one in installed(lib) if not _is_done(one))
    for distribution in distributions:
        for name in _NOTES:
            (distribution.info / name).unlink(missing_ok=True)
        for name in distribution.scripts():
            (lib / "bin" / name).unlink(missing_ok=True)
        _write(distribution.info / "INSTALLER", _INSTALLER.encode())
    for script in _files(lib / "bin"):
        _free_of_path(script)
        # Installers differ where the wheel itself does not say that a script runs.
        script.chmod(0o755)
    if (lib / "bin").is_dir() and not _files(lib / "bin"):
        (lib / "bin").rmdir()
    return distributions


def set_modes(tree: Path) -> None:
    """Give every directory mode 0755 and every file 0755 or 0644, by its owner's right."""
    tree.chmod(0o755)
    pending = [str(tree)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_symlink():
                    continue
                found = stat.S_IMODE(entry.stat(follow_symlinks=False).st_mode)
                wanted = 0o755 if entry.is_dir() or found & 0o100 else 0o644
                # There are ten thousand of them, and nearly all are right.
                if found != wanted:
                    Path(entry.path).chmod(wanted)
                if entry.is_dir():
                    pending.append(entry.path)


def _is_done(distribution: Distribution) -> bool:
    """Return whether its installer, which always writes INSTALLER, was followed by us."""
    path = distribution.info / "INSTALLER"
    return path.is_file() and path.read_bytes() == _INSTALLER.encode()


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file()] if folder.is_dir() else []


def _free_of_path(script: Path) -> None:
    """Let a Python script's first line look for Python by name, not on this machine's path."""
    content = script.read_bytes()
    first, newline, rest = content.partition(b"\n")
    # uv writes '#!/bin/sh' and a line with the interpreter where its path is long or has spaces.
    if content.startswith(b"#!/bin/sh\n'''exec'"):
        first, newline, rest = b"#!python", b"\n", content.partition(b"\n' '''\n")[2]
    words = first.removeprefix(b"#!").split()
    if first.startswith(b"#!") and words and words[0].rpartition(b"/")[2].startswith(_PYTHON):
        content = b"#!/usr/bin/env python3" + newline + rest
    _write(script, content)


def write_record(lib: Path, distribution: Distribution) -> None:
    """Write RECORD.

    Args:
        lib: The folder that its names start from.
        distribution: What its RECORD named until now.
    """
    _write(distribution.info / "RECORD", record(lib, distribution, {}))


def record(lib: Path, distribution: Distribution, known: Mapping[str, tuple[int, str]]) -> bytes:
    """Return a RECORD: every file that is there, in order, with its digest and size.

    Format: https://packaging.python.org/en/latest/specifications/recording-installed-packages/

    Args:
        lib: The folder that its names start from.
        distribution: What its RECORD named until now.
        known: Size and SHA-256 of files that need not be read again, by path from `lib/` on.
    """
    itself = f"{distribution.info.name}/RECORD"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for name in sorted({*distribution.files, f"{distribution.info.name}/INSTALLER", itself}):
        if name == itself:
            writer.writerow((name, "", ""))
        elif name in known or (lib / name).is_file():
            size, digest = known.get(name) or _measure(lib / name)
            encoded = base64.urlsafe_b64encode(bytes.fromhex(digest)).rstrip(b"=")
            writer.writerow((name, f"sha256={encoded.decode()}", size))
    return text.getvalue().encode()


def _measure(path: Path) -> tuple[int, str]:
    content = path.read_bytes()
    return len(content), hashlib.sha256(content).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """Write a file anew: what is there may be a link into the installer's cache."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)
