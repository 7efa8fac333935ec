"""Run a command to its end or its time limit, and pass its output on while it runs."""

from __future__ import annotations

import math
import os
import select
import shlex
import signal
import subprocess
import time

from .errors import AgentError, user_name
from .layout import Layout
from .output import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO, Callable

    from .messages import Channel

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Seconds: how often the command is looked at, how long its output is heard once it has ended,
# and how long it may take to end when told to.
_LOOK = 0.05
_ECHO = 1.0
_GRACE = 5.0
_BLOCK = 65_536


def run_command(
    channel: Channel,
    command: str,
    *,
    folder: str,
    environment: dict[str, str],
    limit: float,
    user: str | None = None,
    shares: Sequence[int] = (),
) -> int | None:
    """Run a shell command; return its status as subprocess does, None if its time was up.

    The command runs whether the controller is still there or not: a half-run migration is worse
    than a late one. What it leaves running in the background (a server that it starts) does not
    hold it up, but should write to a log of its own: nobody hears it after the command.

    Args:
        channel: Where its output goes.
        command: For /bin/sh -c.
        folder: Where it runs.
        environment: All its variables: `clean_environment` makes them.
        limit: Seconds, after which its whole process group is told to end, and then ended.
        user: Who it becomes, if that is somebody else.
        shares: Descriptors that it inherits; sudo passes none on.

    Raises:
        AgentError: `invalid`: there is no such user.
    """
    started = time.monotonic()
    argv, become, text = ["/bin/sh", "-c", command], None, None
    if user is not None and user != user_name():
        if os.geteuid() == 0:
            environment, become = becoming(user, environment)
        else:
            # Its variables may be secrets, so they go where no list of processes shows them.
            text = _as_script(argv, environment, limit).encode()
            argv = ["sudo", "-n", "-u", user, "/bin/sh", "-c", 'eval "$(cat)"']
    process = subprocess.Popen(
        argv,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # A session of its own, and so a process group of its own that can be ended as a whole.
        start_new_session=True,
        pass_fds=tuple(shares),
        preexec_fn=become,  # noqa: PLW1509 (the agent has one thread; `user=` is newer than 3.8)
    )
    if text is not None:
        _hand_over(process.stdin, text)
    in_time = _follow(process, Output(channel, started + limit), started + limit)
    return process.returncode if in_time else None


def clean_environment(layout: Layout, version: str, given: dict[str, str]) -> dict[str, str]:
    """Return the variables of a command about a release: few of the agent's own, and `given`."""
    return {
        "PATH": os.environ.get("PATH", _PATH),
        "HOME": os.environ.get("HOME", "/"),
        "USER": user_name(),
        "LANG": "C.UTF-8",
        "CASTOFF_ROOT": layout.root,
        "CASTOFF_RELEASE": layout.release(version),
        "CASTOFF_SHARED": layout.shared,
        **given,
    }


def ending(status: int) -> str:
    """Return how a command ended, for a sentence about it."""
    if status >= 0:
        return f"failed with exit status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def becoming(user: str, environment: dict[str, str]) -> tuple[dict[str, str], Callable[[], None]]:
    """Return what root needs to start a command as somebody else."""
    import pwd

    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        raise AgentError(
            "invalid",
            f"there is no user {user!r} on this host",
            f"Make it (useradd --system {user}), or mend the step's `user`.",
        ) from None

    def become() -> None:
        os.initgroups(user, entry.pw_gid)
        os.setgid(entry.pw_gid)
        os.setuid(entry.pw_uid)

    return {**environment, "HOME": entry.pw_dir, "USER": user}, become


def with_own_end(argv: Sequence[str], limit: float) -> str:
    """Return a line of shell that becomes a program which ends when its time is over.

    For what runs by way of sudo: neither that nor what it starts may be signalled by whoever
    started it. Its end comes a little after the limit, which then is over for everybody.
    """
    words = " ".join(map(shlex.quote, argv))
    clock = f"timeout -k {_GRACE:.0f} {math.ceil(limit) + 1}"
    return f'set -- {words}; command -v timeout >/dev/null && set -- {clock} "$@"; exec "$@"'


def _as_script(argv: Sequence[str], environment: dict[str, str], limit: float) -> str:
    kept = {name: value for name, value in environment.items() if name not in ("HOME", "USER")}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(kept.items())]
    return "\n".join([*lines, with_own_end(argv, limit), ""])


def _hand_over(pipe: IO[bytes] | None, text: bytes) -> None:
    """Write to a command that may have ended already."""
    if pipe is None:
        raise ValueError("a command without a pipe")
    try:
        with pipe:
            pipe.write(text)
    except BrokenPipeError:
        return


def _follow(process: subprocess.Popen[bytes], output: Output, deadline: float) -> bool:
    """Pass output on until the command has ended; return whether it did so by itself in time."""
    pipe = process.stdout
    if pipe is None:
        raise ValueError("a step without a pipe")
    in_time = heard_out = False
    echo_ends = deadline
    while not (in_time and (heard_out or time.monotonic() >= echo_ends)):
        if not in_time and process.poll() is not None:
            in_time = True
            echo_ends = time.monotonic() + _ECHO
            # All may have been heard: then there is nothing left to wait for.
            continue
        if not in_time and time.monotonic() >= deadline:
            end_group(process)
            # One read empties a pipe; more would follow whoever goes on writing.
            if not heard_out and select.select([pipe], [], [], 0)[0]:
                _pass_on(pipe, output)
            break
        if heard_out:
            _wait(process, _LOOK)
        elif select.select([pipe], [], [], _LOOK)[0]:
            heard_out = not _pass_on(pipe, output)
    output.close()
    pipe.close()
    return in_time


def _pass_on(pipe: IO[bytes], output: Output) -> bool:
    """Hand on what is in the pipe; return whether more can come."""
    data = os.read(pipe.fileno(), _BLOCK)
    output.take(data)
    return bool(data)


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Tell the whole process group to end, and make it do so if it has not after a while."""
    _signal(process, signal.SIGTERM)
    until = time.monotonic() + _GRACE
    while time.monotonic() < until and _signal(process, 0):
        _wait(process, _LOOK)
    _signal(process, signal.SIGKILL)
    if process.returncode is None:
        # One that another user's rights protect from us (sudo) ends by itself about now.
        _wait(process, _GRACE)


def _signal(process: subprocess.Popen[bytes], number: int) -> bool:
    """Signal the process group; return whether any of it is left."""
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    if process.returncode is not None:
        time.sleep(seconds)
        return
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return
