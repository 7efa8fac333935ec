"""What servers of databases have in common in tests: a folder of their own, and no root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

UNPRIVILEGED = "nobody"


@contextmanager
def folder_of_a_server(prefix: str) -> Iterator[Path]:
    """Yield a short path that the server's user can write; sockets have no room for long ones."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        if os.geteuid() == 0:
            entry = pwd.getpwnam(UNPRIVILEGED)
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def start(argv: list[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a program as a user that is not root."""
    with log.open("ab") as out:
        return subprocess.Popen(
            argv,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            user=UNPRIVILEGED if os.geteuid() == 0 else None,
            group=pwd.getpwnam(UNPRIVILEGED).pw_gid if os.geteuid() == 0 else None,
            extra_groups=[] if os.geteuid() == 0 else None,
        )


def run(argv: list[str], log: Path) -> None:
    """Run such a program to its good end."""
    if start(argv, log).wait(timeout=120) != 0:
        raise AssertionError(log.read_text(errors="replace"))


def wait_until(
    answers: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, *, within: float = 60
) -> None:
    """Wait until a server answers."""
    until = time.monotonic() + within
    while not answers():
        if process.poll() is not None or time.monotonic() > until:
            raise AssertionError(f"the server does not answer:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)
