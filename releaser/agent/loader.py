"""Run the agent from the copy that an earlier run has left on the host, if it is the very one.

This text goes to the host first, with the digest of the agent in it. Whatever lies in the folder,
and whoever wrote it, no text of it runs that has not this digest; if there is none, the agent is
asked for. It is all that is sent to a host that has the agent already.

Beside the text lies what Python made of it, which no digest of ours can vouch for. That is taken
only where nobody but this user and root could have put it.
"""

from __future__ import annotations

import marshal
import os
import sys
import zlib

try:
    # Without OpenSSL, which takes longer to load than all of this.
    from _sha2 import sha256  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WANTED = '{"castoff": "agent"}\n'
# What a file of compiled code is called after the digest of the text that it was made of.
COMPILED = ".compiled"
# More than this is not ours.
_MOST = 8 * 1024 * 1024
_MOST_OF_A_LINE = 200
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW
_OTHERS = 0o022
_STICKY = 0o1000


def kept(folder: str, digest: str, size: int) -> bytes:
    """Return the text that lies in a folder under its digest, or nothing if it is another."""
    try:
        # A pipe in its place must not hold us up, nor a file without end.
        descriptor = os.open(os.path.join(folder, digest), _READ)
    except OSError:
        return b""
    try:
        with open(descriptor, "rb") as file:
            text = file.read(size + 1)
    except OSError:
        return b""
    return text if sha256(text).hexdigest() == digest else b""


def private(folder: str) -> str | None:
    """Return a folder's real path if nobody but this user and root can change what lies in it.

    They could not even put another in its place: all that it lies in is asked after, too.
    """
    real = path = os.path.realpath(folder)
    try:
        if not _ours(os.stat(path)):
            return None
        while path != "/":
            path = os.path.dirname(path)
            status = os.stat(path)
            # In a folder like /tmp others may not touch what is not theirs.
            if not _ours(status) and not (status.st_mode & _STICKY and status.st_uid == 0):
                return None
    except OSError:
        return None
    return real


def _ours(status: os.stat_result) -> bool:
    return not status.st_mode & _OTHERS and status.st_uid in (0, os.geteuid())


def mark(rest: bytes) -> bytes:
    """Return what a file of compiled code begins with: its Python, and the sum of the rest."""
    import _frozen_importlib_external as external

    tag, magic = sys.implementation.cache_tag, external.MAGIC_NUMBER.hex()
    return f"castoff {tag} {sys.hexversion:x} {magic} {zlib.crc32(rest):x}\n".encode()


def compiled(folder: str, digest: str) -> dict[str, bytes]:
    """Return the code of a text's modules, marshalled, as an earlier run kept it; or nothing.

    Nothing if it is of another text or another Python, damaged, or could be anybody's.
    """
    try:
        place = private(folder)
        if place is None:
            return {}
        with open(os.open(os.path.join(place, digest + COMPILED), _READ), "rb") as file:
            if not _ours(os.fstat(file.fileno())):
                return {}
            head, rest = file.readline(_MOST_OF_A_LINE), file.read(_MOST)
        codes = marshal.loads(rest) if head == mark(rest) else {}  # noqa: S302 (ours: see above)
    except (OSError, ValueError, EOFError, TypeError):
        return {}
    return codes if isinstance(codes, dict) else {}


def load(folder: str, digest: str, size: int) -> None:
    """Run the agent.

    Args:
        folder: Where it may lie; `~/` stands for the user's home.
        digest: Its SHA-256, in hexadecimal.
        size: Its bytes.
    """
    folder = os.path.expanduser(folder)
    scope: dict[str, Any] = {"__name__": "castoff-agent", "digest": digest}
    codes = compiled(folder, digest)
    if "importer" in codes:
        exec(marshal.loads(codes["importer"]), scope)  # noqa: S102, S302 (what a loader does)
        scope["start"](codes, lambda: kept(folder, digest, size))
    else:
        bundle = kept(folder, digest, size)
        if not bundle:
            sys.stdout.write(WANTED)
            sys.stdout.flush()
            bundle = sys.stdin.buffer.read(size)
            scope["came"] = bundle
        exec(compile(zlib.decompress(bundle), "castoff-agent", "exec"), scope)  # noqa: S102 (same)
    threading = sys.modules.get("threading")
    if threading is None or threading.active_count() == 1:
        # Nobody waits for all modules to be taken apart again, one tenth of a short visit.
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                continue
        os._exit(0)
