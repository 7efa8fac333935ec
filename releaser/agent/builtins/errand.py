"""What a built-in step works with, and the small things that it does as the step's user."""

from __future__ import annotations

import os
import time

from ..command import clean_environment, ending, run_command
from ..errors import AgentError, user_name
from ..layout import COLORS
from .deadline import Deadline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..layout import Layout
    from ..messages import Channel
    from ..parameters import Parameters

_SIGNAL = 'kill -"$1" "$2"'
_WRITE = 'printf %s "$2" >"$1"'


class Errand:
    """One built-in step that is under way.

    Attributes:
        layout: The app's paths.
        channel: To the controller.
        version: The release that the step is about.
        name: The step's.
        user: Who it becomes for what it does, or None.
        deadline: When it has to be done.
    """

    def __init__(self, layout: Layout, channel: Channel, parameters: Parameters) -> None:
        """Take what every built-in step is given."""
        self.layout = layout
        self.channel = channel
        self.version = parameters.version("version")
        self.name = parameters.text("name")
        self.user = parameters.text_or_none("user")
        self.deadline = Deadline(self.name, parameters.seconds("timeout"))
        self._variables = parameters.variables("env")
        # Users that sudo makes nobody of whom the agent works as.
        self._barred: set[str] = set()

    @property
    def becomes_another(self) -> bool:
        """Whether the step's user is not the agent's own."""
        return self.user is not None and self.user != user_name()

    @property
    def by_sudo(self) -> bool:
        """Whether it is sudo that makes the step's user of the agent."""
        return self.becomes_another and os.geteuid() != 0

    @property
    def link(self) -> str:
        """The link that leads to the release that the step is about, whatever that is later.

        With blue-green that is the link of the instance's colour: `current` may be the other's.
        """
        color = self._variables.get("CASTOFF_COLOR")
        return self.layout.color(color) if color in COLORS else self.layout.current

    def path(self, text: str) -> str:
        """Return an absolute path; a relative one starts at the app's root."""
        return os.path.join(self.layout.root, text)

    def failed(self, message: str, hint: str = "") -> AgentError:
        """Return the error of this step."""
        return AgentError("step-failed", f"step {self.name!r}: {message}", hint)

    def say(self, text: str) -> None:
        """Tell the controller a line."""
        self.channel.event("output", self.deadline.at, text=f"{text}\n")

    def ask(self, argv: Sequence[str], **more: str) -> str:
        """Run a program without the step's own variables; return what it prints.

        Raises:
            AgentError: As `program.run`.
        """
        environment = {**clean_environment(self.layout, self.version, {}), **more}
        return _run(argv, environment=environment, deadline=self.deadline, user=self.user)

    def ask_as_agent(self, argv: Sequence[str]) -> str:
        """Run a program as `ask` does, but as whom the agent works as."""
        environment = clean_environment(self.layout, self.version, {})
        return _run(argv, environment=environment, deadline=self.deadline)

    def look_into(self, processes: Sequence[int], argv: Sequence[str]) -> str:
        """Run a program, given the numbers of processes, as somebody who may see all of them.

        That is the step's user; where sudo lets nobody become that one for any command, each
        process's own, who may be the app's alone.

        Raises:
            AgentError: As `program.run`; `step-failed` too where nobody can be become.
        """
        everyone = list(map(str, processes))
        if self.user is not None and self._may_become(self.user):
            try:
                return self.ask([*argv, *everyone])
            except AgentError as error:
                if error.code != "step-failed":
                    raise
                self._barred.add(self.user)
                refused = error
        else:
            refused = self.failed(f"sudo makes nobody {self.user} for any command")
        owners = {number: owner(number) for number in everyone}
        said = []
        for name in sorted(set(filter(None, owners.values())) - self._barred):
            numbers = [number for number in everyone if owners[number] == name]
            environment = clean_environment(self.layout, self.version, {})
            try:
                said.append(
                    _run(
                        [*argv, *numbers],
                        environment=environment,
                        deadline=self.deadline,
                        user=name,
                    )
                )
            except AgentError as error:
                if error.code != "step-failed":
                    raise
                self._barred.add(name)
        if not said:
            raise refused
        return "".join(said)

    def _may_become(self, user: str) -> bool:
        """Whether sudo says that it makes the user of the agent for any command.

        It is asked first, since each refusal of the thing itself is reported on the host.
        """
        if self.by_sudo and user not in self._barred:
            argv = ["sudo", "-n", "-l", "-u", user, "/bin/sh", "-c", "true"]
            try:
                self.ask_as_agent(argv)
            except AgentError as error:
                if error.code != "step-failed":
                    raise
                self._barred.add(user)
        return user not in self._barred

    def ask_with(self, given: str, argv: Sequence[str]) -> str:
        """Run a program as `ask` does, with a text as its standard input."""
        environment = clean_environment(self.layout, self.version, {})
        return _run(
            argv,
            environment=environment,
            deadline=self.deadline,
            user=self.user,
            given=given.encode(),
        )

    def command(
        self,
        command: str,
        *,
        folder: str | None = None,
        without: Sequence[str] = (),
        **instead: str,
    ) -> None:
        """Run a shell command as `attempt` does, until the step's time is up; it has to succeed.

        Raises:
            AgentError: `step-failed`, `step-timeout`, `invalid`.
        """
        status = self.attempt(
            command, limit=self.deadline.left(), folder=folder, without=without, **instead
        )
        if status is None:
            self.deadline.left()
        elif status != 0:
            raise self.failed(f"its command {ending(status)}")

    def attempt(
        self,
        command: str,
        *,
        limit: float,
        folder: str | None = None,
        without: Sequence[str] = (),
        **instead: str,
    ) -> int | None:
        """Run a shell command with the step's variables, in the release unless told otherwise.

        Args:
            command: For /bin/sh -c.
            limit: Seconds that it may take.
            folder: Where it runs; PWD says so too, so that it may go by way of a link.
            without: Variables that it does not get.
            instead: Variables that it gets with another value.

        Returns:
            Its status; None if its time was up.

        Raises:
            AgentError: `invalid`: there is no such user.
        """
        environment = clean_environment(self.layout, self.version, self._variables)
        if folder is not None:
            environment["PWD"] = folder
        environment.update(instead)
        return run_command(
            self.channel,
            command,
            folder=folder or self.layout.release(self.version),
            environment={k: v for k, v in environment.items() if k not in without},
            limit=limit,
            user=self.user,
        )

    def read(self, path: str) -> str | None:
        """Return a small file's text, None if there is no such file."""
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read(65_536)
        except FileNotFoundError:
            return None
        except PermissionError:
            if not self.becomes_another:
                raise
            return self.ask(["cat", path])

    def signal(self, process: int, name: str) -> None:
        """Send a signal, by its name without SIG; to a process that has gone it is lost."""
        import signal

        try:
            os.kill(process, signal.Signals["SIG" + name])
        except ProcessLookupError:
            return
        except PermissionError:
            if not self.becomes_another:
                raise self.failed(
                    f"process {process} is another user's, and takes no signal from {user_name()}",
                    "Set the step's `user` to the user that it runs as, or to root.",
                ) from None
            self.ask(["/bin/sh", "-c", _SIGNAL, "sh", name, str(process)])

    def touch(self, path: str) -> None:
        """Set a file's time to now, and make it if it is not there.

        Whoever watches it may only see whole seconds: so it is another one than before, if need
        be the next.
        """
        now = time.time()
        if os.path.exists(path):
            now = max(now, int(os.stat(path).st_mtime) + 1.0)
        if self.becomes_another:
            self.ask(["touch", "-d", f"@{now:.3f}", path])
            return
        with open(path, "ab"):
            os.utime(path, (now, now))

    def write(self, path: str, text: str) -> None:
        """Write a few bytes into a pipe that somebody reads."""
        if self.becomes_another:
            self.ask(["/bin/sh", "-c", _WRITE, "sh", path, text])
            return
        # Does not wait for a reader, where there is none.
        pipe = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(pipe, text.encode())
        finally:
            os.close(pipe)


def owner(process: str) -> str | None:
    """Return the name of whom a process runs as; None if it has gone, or has no name."""
    import pwd

    try:
        return pwd.getpwuid(os.stat(f"/proc/{process}").st_uid).pw_name
    except (OSError, KeyError):
        return None


def _run(argv: Sequence[str], **how: Any) -> str:
    # Here, because checks and many a restart run no such program, and it loads `tempfile`.
    from .program import run

    return run(argv, **how)
