"""The user that acts on this machine, who may be no more than a number, as in a container."""

from __future__ import annotations

import os


def user_name() -> str:
    """Return the name of the user, or the number if it has no name."""
    # Here, for every start asks for the home folder, and few for the name.
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # the latter since Python 3.13
        return str(os.getuid())


def ensure_home() -> None:
    """Let a user of whom no home folder is known have the top of the file system for one."""
    if "HOME" not in os.environ:
        import pwd

        try:
            pwd.getpwuid(os.getuid())
        except KeyError:
            os.environ["HOME"] = "/"
