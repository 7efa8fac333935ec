"""Run one step of a release: a shell command in the release's directory."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time

from .errors import AgentError, user_name
from .layout import Layout
from .output import Output
from .records import is_complete, not_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO, Any

    from .messages import Channel
    from .parameters import Parameters

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# Seconds: how often the command is looked at, how long its output is heard once it has ended,
# and how long it may take to end when told to.
_LOOK = 0.05
_ECHO = 1.0
_GRACE = 5.0
_BLOCK = 65_536


def run(layout: Layout, channel: Channel, parameters: Parameters) -> dict[str, Any]:
    """Run a command to its end or its time limit, passing its output on while it runs.

    The command runs whether the controller is still there or not: a half-run migration is worse
    than a late one. What it leaves running in the background (a server that it starts) does not
    hold it up, but should write to a log of its own: nobody hears it after the step.

    Raises:
        AgentError: `step-failed`, `step-timeout`, `missing`.
    """
    version, name = parameters.version("version"), parameters.text("name")
    command, limit = parameters.text("command"), parameters.seconds("timeout")
    if not is_complete(layout, version):
        raise not_here(version)
    environment = _environment(layout, version, parameters.variables("env"))
    started = time.monotonic()
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        cwd=layout.release(version),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # A session of its own, and so a process group of its own that can be ended as a whole.
        start_new_session=True,
    )
    in_time = _follow(process, Output(channel, started + limit), started + limit)
    seconds = time.monotonic() - started
    if not in_time:
        raise AgentError(
            "step-timeout",
            f"step {name!r} did not end within {limit:g} s and was told to stop",
            "Raise its `timeout`, or see in its output what it waited for.",
        )
    if process.returncode != 0:
        raise AgentError("step-failed", f"step {name!r} {_ending(process.returncode)}")
    return {"seconds": seconds, "status": 0}


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
        elif not in_time and time.monotonic() >= deadline:
            _end(process)
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


def _end(process: subprocess.Popen[bytes]) -> None:
    """Tell the whole process group to end, and make it do so if it has not after a while."""
    _signal(process, signal.SIGTERM)
    until = time.monotonic() + _GRACE
    while time.monotonic() < until and _signal(process, 0):
        _wait(process, _LOOK)
    _signal(process, signal.SIGKILL)
    if process.returncode is None:
        # One that another user's rights protect from us (sudo) is left to itself.
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


def _ending(returncode: int) -> str:
    if returncode >= 0:
        return f"failed with exit status {returncode}"
    try:
        return f"was ended by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"was ended by signal {-returncode}"


def _environment(layout: Layout, version: str, given: dict[str, str]) -> dict[str, str]:
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
