"""Write a git tree into an empty folder: what is tracked, and nothing that lies beside it."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from castoff.builder.errors import SourceError
from castoff.builder.git import Git

_BLOCK = 1024 * 1024
_LFS_POINTER = b"version https://git-lfs.github.com/spec/v1\n"


def export(
    git: Git, tree: str, destination: Path, *, time: int, extra: Mapping[str, str] | None = None
) -> None:
    """Write what `git archive` gives of a tree.

    Attributes in the tree (`export-ignore`, `eol`) are honoured as they stand in that tree, but for
    `export-subst`: a tree has no commit that its place holders could be filled from. All
    modification times are `time`, all modes 0644 or 0755, whatever the umask.

    Args:
        git: The repository, at its top folder.
        tree: A tree, by its id or any other name.
        destination: An existing, empty folder.
        time: Seconds since the epoch.
        extra: More environment variables for git.

    Raises:
        SourceError: Git refuses, or the tree holds a file that is in Git LFS and was not fetched.
    """
    process = git.start("archive", "--format=tar", tree, extra=extra)
    with process:
        if process.stdout is None or process.stderr is None:
            raise ValueError("git was started without pipes")
        try:
            _unpack(process.stdout, destination, time)
        except tarfile.TarError as error:
            said = process.stderr.read().decode(errors="replace").strip()
            raise SourceError(f"{git.folder}: git archive: {said or error}") from error
        except BaseException:
            process.kill()
            raise
        said = process.stderr.read().decode(errors="replace").strip()
    if process.returncode != 0:
        raise SourceError(f"{git.folder}: git archive {tree}: {said}")


def _unpack(stream: IO[bytes], destination: Path, time: int) -> None:
    links: list[tuple[Path, str]] = []
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            path = destination / _checked(member.name)
            if member.isdir():
                path.mkdir(mode=0o755, parents=True, exist_ok=True)
            elif member.issym():
                links.append((path, member.linkname))
            else:
                _write(archive, member, str(path), time)
    # Last, so that no file is ever written through a link.
    for path, target in links:
        path.symlink_to(target)


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, path: str, time: int) -> None:
    content = archive.extractfile(member)
    if content is None:
        raise SourceError(f"{member.name!r} is neither a file, a directory nor a link")
    with open(path, "xb") as file:  # noqa: PTH123 - there are thousands, and Path is slower
        block = content.read(_BLOCK)
        if block.startswith(_LFS_POINTER):
            raise SourceError(
                f"{member.name} is in Git LFS, and its content was not put in its place",
                hint="Run `git lfs install` and `git lfs pull` on the machine that builds.",
            )
        while block:
            file.write(block)
            block = content.read(_BLOCK)
        file.flush()
        os.fchmod(file.fileno(), 0o755 if member.mode & 0o100 else 0o644)
        os.utime(file.fileno(), (time, time))


def _checked(name: str) -> str:
    parts = name.rstrip("/").split("/")
    if not {"", "..", ".git"}.isdisjoint(parts):
        raise SourceError(f"the commit holds a path that must not be: {name!r}")
    return "/".join(parts)
