"""What the agent answers when it cannot do what it was asked."""

from __future__ import annotations

import errno
import os

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM)


class AgentError(Exception):
    """An operation failed.

    Attributes:
        code: One of the codes in docs/reference/agent-protocol.md.
        message: One sentence that says what is wrong; never holds a URL's path or query.
        hint: What to do about it; may be empty.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def from_os_error(error: OSError) -> AgentError:
    """Return the operating system's refusal in the protocol's terms."""
    where = _text(error.filename)
    what = (error.strerror or type(error).__name__).lower()
    sentence = f"{what}: {where}" if where else what
    if error.errno in _FULL:
        return AgentError(
            "no-space", sentence, "Free some space or inodes on the host, then try again."
        )
    if error.errno == errno.EROFS:
        return read_only(sentence)
    if error.errno in _FORBIDDEN:
        return AgentError(
            "permission",
            f"{sentence} (as user {user_name()})",
            "Give the app's folder on the host to the user who releases.",
        )
    return AgentError("internal", sentence)


def read_only(sentence: str) -> AgentError:
    """Return the error for a file system that takes no writes, whoever asks."""
    return AgentError(
        "permission",
        sentence,
        "See in the host's log (dmesg) why, mend that, then: mount -o remount,rw MOUNTPOINT",
    )


def not_readable(path: str) -> AgentError:
    """Return the error for a record of Castoff's that another user has written."""
    return AgentError(
        "permission",
        f"cannot read {path} as user {user_name()}: whoever released before was another user",
        "Reach the host as that user, or with `sudo = true`, as the releases before did.",
    )


def user_name() -> str:
    """Return the name of the user that the agent runs as, or the number if it has no name."""
    import pwd

    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _text(filename: object) -> str:
    if isinstance(filename, bytes):
        return filename.decode("utf-8", "replace")
    return filename if isinstance(filename, str) else ""
