"""Run the program that judges configuration files, and hear what it says."""

from __future__ import annotations

import os
import shlex

from ..command import ending, run_command
from ..errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..messages import Channel

# Where programs of the system lie that are not in the path of every login.
_SYSTEM = "/usr/local/sbin:/usr/sbin:/sbin"
_MOST_SAID = 2000


class Checking:
    """What all checks of one release on this host have in common.

    Attributes:
        folder: The release's directory, where programs run.
        environment: Their variables.
        scratch: A folder for copies to be judged; the files in it are seen by nobody else.
    """

    def __init__(
        self, channel: Channel, folder: str, environment: dict[str, str], scratch: str
    ) -> None:
        self.folder = folder
        path = f"{environment.get('PATH', '')}:{_SYSTEM}"
        self.environment = {**environment, "PATH": path}
        self.scratch = scratch
        self._channel = channel

    def find(self, program: str, path: str) -> str:
        """Return where a program is.

        Raises:
            AgentError: `step-failed`: it is not on this host.
        """
        import shutil

        found = shutil.which(program, path=self.environment["PATH"])
        if found is None:
            raise AgentError(
                "step-failed",
                f"{path} cannot be checked: {program} is not on this host",
                f"Install it, or set `check` in [[environments.*.config]] for {path}.",
            )
        return found

    def quietly(self, argv: list[str], limit: float) -> str:
        """Return what a program says that is only asked about itself.

        Raises:
            AgentError: `step-failed`: it says nothing.
        """
        import subprocess

        try:
            done = subprocess.run(
                argv,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=limit,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise AgentError("step-failed", f"{argv[0]} does not run: {error}") from error
        return done.stdout.decode("utf-8", "replace")

    def run(
        self,
        argv: list[str],
        about: str,
        limit: float,
        *,
        copies: dict[str, str] | None = None,
        env: dict[str, str] | None = None,
    ) -> str:
        """Run a program that judges files; return what it said.

        Args:
            argv: The program and its arguments.
            about: The file that it is about, for messages.
            limit: Seconds that it may take.
            copies: For each file that it is given, the name by which people know it.
            env: Further variables.

        Raises:
            AgentError: `step-failed`: it finds fault. `step-timeout`.
        """
        return self.shell(shlex.join(argv), about, limit, copies=copies, env=env)

    def shell(
        self,
        command: str,
        about: str,
        limit: float,
        *,
        copies: dict[str, str] | None = None,
        env: dict[str, str] | None = None,
    ) -> str:
        """Run a shell command in the same way; see `run`."""
        heard: Any = _Heard(self._channel, copies or {})
        status = run_command(
            heard,
            command,
            folder=self.folder,
            environment={**self.environment, **(env or {})},
            limit=limit,
        )
        if status is None:
            raise AgentError(
                "step-timeout",
                f"the check of {about} did not end within {limit:g} s",
                "Raise its `timeout` in [[environments.*.config]].",
            )
        if status != 0:
            raise refused(about, heard.text or f"it {ending(status)}")
        return str(heard.text)


def refused(about: str, said: str) -> AgentError:
    """Return the error for a file that its program does not take."""
    return AgentError(
        "step-failed",
        f"the check of {about} failed: {said.strip()[-_MOST_SAID:]}",
        "Mend the template; nothing that serves was changed.",
    )


def about_the_release(data: bytes, root: str, version: str) -> bytes:
    """Return a file's content as it is meant once `current` leads to the version."""
    current = os.fsencode(os.path.join(root, "current")) + b"/"
    release = os.fsencode(os.path.join(root, "releases", version)) + b"/"
    return data.replace(current, release)


class _Heard:
    """Between a command and the channel: keeps what is said, names files as people do."""

    def __init__(self, channel: Channel, copies: dict[str, str]) -> None:
        self.text = ""
        self._channel = channel
        self._copies = copies

    def event(self, kind: str, until: float | None = None, **content: Any) -> None:
        text = str(content.get("text", ""))
        for copy, name in self._copies.items():
            text = text.replace(copy, name)
        self.text = (self.text + text)[-2 * _MOST_SAID :]
        self._channel.event(kind, until, **{**content, "text": text})
