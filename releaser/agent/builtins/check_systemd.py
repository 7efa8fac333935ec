"""Let systemd judge units and their drop-ins before they are where it looks for them.

`systemd-analyze verify` reads units by their file names, in the folders of SYSTEMD_UNIT_PATH; an
empty entry at the end of it stands for the usual ones (systemd-analyze(1), systemd.unit(5)).
"""

from __future__ import annotations

import os
import re

from ..placed import Placed, place
from .checking import Checking, about_the_release, refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_USERS = "/systemd/user/"


def check_systemd(
    checking: Checking,
    files: Mapping[str, bytes | None],
    judged: list[str],
    limit: float,
    *,
    root: str,
    version: str,
) -> None:
    """Have systemd verify units as they will be.

    What systemd would pass over with a remark, such as a key that it does not know, is a failure:
    a setting that does nothing is not what its author meant.

    Args:
        checking: How programs are run.
        files: Content of all files outside the release by path; None for those that go away.
        judged: The units, and files in `UNIT.d/`, to be judged.
        limit: Seconds that it may take.
        root: The app's root.
        version: The version that they are for.

    Raises:
        AgentError: `step-failed`.
    """
    for user in (False, True):
        chosen = [path for path in judged if (_OF_USERS in path) == user]
        if not chosen:
            continue
        program = checking.find("systemd-analyze", chosen[0])
        folder = os.path.join(checking.scratch, "user" if user else "system")
        names = {}
        for path in chosen:
            data = files[path]
            if data is not None:
                copy = os.path.join(folder, _place(path))
                os.makedirs(os.path.dirname(copy), exist_ok=True)
                text = about_the_release(data, root, version)
                place(copy, Placed(text, 0o644, None, None), f"{copy}.new")
                names[copy] = path
        units = sorted({_unit(path) for path in chosen})
        own = [os.path.join(folder, unit) for unit in units]
        targets = [path if os.path.exists(path) else os.path.basename(path) for path in own]
        about = ", ".join(chosen)
        argv = [program, *(["--user"] if user else []), "--man=no", "verify", *targets]
        said = checking.run(
            argv, about, limit, copies=names, env={"SYSTEMD_UNIT_PATH": f"{folder}:"}
        )
        about_ours = re.compile("|".join(f"^{re.escape(path)}:\\d+: .*" for path in chosen), re.M)
        remarks = about_ours.findall(said)
        if remarks:
            raise refused(about, "\n".join(dict.fromkeys(remarks)))


def _place(path: str) -> str:
    """Return a file's path in a folder of units."""
    folder, name = os.path.split(path)
    above = os.path.basename(folder)
    return os.path.join(above, name) if above.endswith(".d") else name


def _unit(path: str) -> str:
    """Return the unit that a file is about."""
    above, _, name = _place(path).rpartition("/")
    return above[: -len(".d")] if above else name
