"""Remove files of an nginx's cache; runs as a program of its own, as whoever may remove them.

nginx takes a file that is gone for one that was never there: it has no command for this.
"""

from __future__ import annotations

import os
import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..parameters import Parameters
    from .errand import Errand

# A file is named by the MD5 of its key, and lies in folders that are named by its last digits
# (proxy_cache_path, `levels`).
_FILE = re.compile(r"[0-9a-f]{32}")
_FOLDER = re.compile(r"[0-9a-f]{1,2}")
# The key stands behind the file's binary head.
_KEY = re.compile(rb"\nKEY: ([^\n]*)\n")
_HEAD = 16_384


def clear_nginx(errand: Errand, options: Parameters) -> str:
    """Remove what a cache's folder holds, or only what has keys with a prefix.

    Raises:
        AgentError: `step-failed`, `step-timeout`.
    """
    folder, prefix = options.text("folder"), options.text_or_none("prefix") or ""
    loader: Any = sys.modules[__name__].__loader__
    source = loader.get_source(__name__)
    argv = [sys.executable, "-I", "-S", "-c", "import sys; exec(sys.stdin.read())", folder, prefix]
    removed = errand.ask_with(f"{source}\nmain()\n", argv).strip()
    return f"{folder}: {removed} files removed"


def main() -> None:
    """Remove, and print how many; end with a message if the folder is none of a cache."""
    folder, prefix = sys.argv[1], os.fsencode(sys.argv[2])
    try:
        top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        removed = _remove(top, folder, prefix)
    except OSError as error:
        sys.exit(f"{error.strerror}: {error.filename or folder}")
    sys.stdout.write(f"{removed}\n")


def _remove(top: int, folder: str, prefix: bytes) -> int:
    removed = 0
    names = os.listdir(top)
    strange = [name for name in names if not _FILE.match(name) and not _FOLDER.fullmatch(name)]
    if strange and not any(_FILE.match(name) or _FOLDER.fullmatch(name) for name in names):
        sys.exit(f"{folder} is no cache of nginx: it holds {strange[0]!r}")
    # By descriptors, so that no link in the way leads out of the folder.
    for _, _, files, place in os.fwalk(".", dir_fd=top, follow_symlinks=False):
        for name in files:
            if _FILE.fullmatch(name) and _is_wanted(name, place, prefix):
                try:
                    os.unlink(name, dir_fd=place)
                except FileNotFoundError:
                    # nginx has removed it itself.
                    continue
                removed += 1
    return removed


def _is_wanted(name: str, place: int, prefix: bytes) -> bool:
    """Whether a file is nginx's, which says so at its head, and has such a key."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=place)
    except FileNotFoundError:
        return False
    try:
        found = _KEY.search(os.read(file, _HEAD))
    finally:
        os.close(file)
    return found is not None and found.group(1).startswith(prefix)
