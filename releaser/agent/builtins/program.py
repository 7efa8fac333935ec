"""A program that gives bytes, takes them, or turns them into others, in bounded memory and time."""

from __future__ import annotations

import contextlib
import os
import select
import shlex
import shutil
import subprocess
import tempfile

from ..command import becoming, end_group, ending, with_own_end
from ..errors import AgentError, user_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import IO, Callable

    from .deadline import Deadline

_BLOCK = 256 * 1024
_PIPE = 65_536
# The end of what a program complains about that is told, bytes.
_MOST_WORDS = 2000
# Takes a script from standard input, and leaves what follows to the program: `read` takes no more
# from a pipe than its line, with `-r` as it is.
_END = "# what follows is the program's own"
_TAKE = f"""t=
while IFS= read -r l && [ "$l" != "{_END}" ]; do t="$t$l
"; done
[ "$l" = "{_END}" ] && eval "$t"
"""


class Program:
    """One running program, a process group of its own; leaving the context ends it.

    Its standard error goes into a nameless file, which it never has to wait for.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        environment: dict[str, str],
        deadline: Deadline,
        user: str | None = None,
        takes: bool = False,
        shares: Sequence[int] = (),
    ) -> None:
        """Start it.

        Args:
            argv: The program and its arguments; nothing that is secret.
            environment: All its variables, secrets among them.
            deadline: When it has to be done.
            user: Who it becomes, if that is somebody else.
            takes: Whether it is given bytes.
            shares: Descriptors that it inherits.

        Raises:
            AgentError: `missing`: there is no such program. `invalid`: there is no such user.
        """
        self.name = os.path.basename(argv[0])
        self._deadline = deadline
        if shutil.which(argv[0], path=environment.get("PATH")) is None:
            raise AgentError(
                "missing",
                f"the program {argv[0]!r} is not on this host",
                "Install the package that has it: postgresql-client, mariadb-client, age, …",
            )
        words, become, prelude = list(argv), None, b""
        if user is not None and user != user_name():
            if os.geteuid() == 0:
                environment, become = becoming(user, environment)
            else:
                # Variables may be secrets: they go where no list of processes shows them.
                words = ["sudo", "-n", "-u", user, "/bin/sh", "-c", _TAKE]
                prelude = _script(argv, environment, deadline.left())
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the program)
        self._process = self._start(words, environment, become, takes or bool(prelude), shares)
        if prelude and self._process.stdin is not None:
            # Where sudo refuses, it has ended already, and its last words tell why.
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.write(prelude)
            if not takes:
                self._process.stdin.close()

    def _start(
        self,
        words: list[str],
        environment: dict[str, str],
        become: Callable[[], None] | None,
        takes: bool,
        shares: Sequence[int],
    ) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            words,
            cwd="/",
            env=environment,
            stdin=subprocess.PIPE if takes else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            bufsize=0,
            pass_fds=tuple(shares),
            start_new_session=True,
            preexec_fn=become,  # noqa: PLW1509 (the agent has one thread; `user=` is newer than 3.8)
        )

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            end_group(self._process)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._complaints.close()

    def gives(self) -> Iterator[bytes]:
        """Yield what it prints, to its good end.

        Raises:
            AgentError: `step-failed`, with its last words; `step-timeout`.
        """
        pipe = self._process.stdout
        if pipe is None:
            raise ValueError("a program without a pipe")
        while True:
            if select.select([pipe], [], [], self._deadline.left())[0]:
                block = os.read(pipe.fileno(), _BLOCK)
                if not block:
                    break
                yield block
        self._finish()

    def turns(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """Give it `blocks` and yield what it makes of them, to its good end.

        Raises:
            AgentError: As `gives`, and what `blocks` raises.
        """
        given, made = self._process.stdin, self._process.stdout
        if given is None or made is None:
            raise ValueError("a program without pipes")
        os.set_blocking(given.fileno(), False)
        pending = b""
        while True:
            if not pending and not given.closed:
                pending = next(blocks, b"")
                if not pending:
                    given.close()
            writers = [] if given.closed else [given]
            readable, writable, _ = select.select([made], writers, [], self._deadline.left())
            if writable:
                pending = _feed(given, pending)
            if readable:
                block = os.read(made.fileno(), _BLOCK)
                if not block:
                    break
                yield block
        self._finish()
        if pending or next(blocks, b""):
            raise AgentError("step-failed", f"{self.name} ended before it had taken everything")

    def words(self) -> str:
        """Return the end of what it has complained about."""
        self._complaints.seek(0, os.SEEK_END)
        self._complaints.seek(max(self._complaints.tell() - _MOST_WORDS, 0))
        return self._complaints.read().decode("utf-8", "replace").strip()

    def _finish(self) -> None:
        try:
            status = self._process.wait(self._deadline.left())
        except subprocess.TimeoutExpired:
            self._deadline.left()
            raise
        if status != 0:
            said = self.words()
            raise AgentError(
                "step-failed", f"{self.name} {ending(status)}" + (said and f": {said}")
            )


def run(
    argv: Sequence[str],
    *,
    environment: dict[str, str],
    deadline: Deadline,
    user: str | None = None,
    given: bytes | None = None,
) -> str:
    """Run a program to its end; return what it prints, which is little.

    Raises:
        AgentError: `step-failed`, with its last words; `step-timeout`; `missing`; `invalid`.
    """
    with Program(
        argv, environment=environment, deadline=deadline, user=user, takes=given is not None
    ) as program:
        blocks = program.gives() if given is None else program.turns(iter([given]))
        return b"".join(blocks).decode("utf-8", "replace")


def _feed(pipe: IO[bytes], data: bytes) -> bytes:
    """Write what a pipe takes now; return what is left."""
    try:
        # No more than fits a pipe, so that what is left is not copied over and over.
        written = os.write(pipe.fileno(), data[:_PIPE])
    except BlockingIOError:
        return data
    except BrokenPipeError:
        # The program has ended, and why is what its status and last words tell.
        pipe.close()
        return b""
    return data[written:]


def _script(argv: Sequence[str], environment: dict[str, str], limit: float) -> bytes:
    """Return lines of shell that start a program with variables, and the line that ends them."""
    kept = {name: value for name, value in environment.items() if name not in ("HOME", "USER")}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(kept.items())]
    return "\n".join([*lines, "cd /", with_own_end(argv, limit), _END, ""]).encode()
