"""Files without a name where the file system knows none."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from castoff.releaser.agent import scratch
from castoff.releaser.agent.layout import Layout
from castoff.releaser.agent.scratch import Scratch
from castoff.releaser.agent.trash import empty_staging

REAL_LIST, REAL_OPEN, REAL_UNLINK = os.listdir, os.open, os.unlink


def named_open(path: Any, flags: int, *rest: Any, **more: Any) -> int:
    if flags & os.O_TMPFILE == os.O_TMPFILE:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
    return REAL_OPEN(path, flags, *rest, **more)


def unlink_of_nfs(path: str) -> None:
    """Do what NFS does with a file that somebody has open: it has another name until then."""
    place = Path(path)
    name = place.name
    if name.startswith(".nfs"):
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), path)
    if name.startswith("castoff."):
        place.rename(place.with_name(f".nfs{name}"))
    else:
        REAL_UNLINK(path)


@pytest.fixture
def layout(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Layout]:
    layout = Layout(str(root))
    layout.make()
    monkeypatch.setattr(os, "open", named_open)
    scratch.use(layout.staging)
    yield layout
    scratch._own.clear()


def test_what_is_in_use_keeps_nobody_from_emptying_its_folder(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "unlink", unlink_of_nfs)
    held = Scratch()
    held.add(b"held")
    Path(layout.staging, "left").write_bytes(b"")
    empty_staging(layout)
    (name,) = REAL_LIST(layout.staging)
    assert name.startswith(".nfs")
    assert held.read(0, 9) == b"held"


def test_whoever_deletes_it_first_does_no_harm(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late_unlink(path: str) -> None:
        REAL_UNLINK(path)
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    before = len(REAL_LIST("/proc/self/fd"))
    monkeypatch.setattr(os, "unlink", late_unlink)
    held = Scratch()
    held.add(b"held")
    assert held.read(0, 9) == b"held"
    assert len(REAL_LIST("/proc/self/fd")) == before + 1
    monkeypatch.setattr(os, "listdir", lambda folder: [*REAL_LIST(folder), "castoff.gone"])
    empty_staging(layout)
