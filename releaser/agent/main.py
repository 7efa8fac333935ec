"""The agent's loop: take a request, do it, answer; until the controller is gone."""

from __future__ import annotations

import gc
import os
import signal
import sys

from .errors import AgentError, from_os_error
from .messages import Channel, Gone
from .operations import Operations
from .parameters import Parameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PROTOCOL = 1
# What a fault of the agent's own looks like. Its text may hold anything, so it is not passed on.
_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
)


def serve() -> None:
    """Greet, then answer requests until standard input ends."""
    os.umask(0o022)
    # A hang-up of the login session must not end a step half-way. Caught and not ignored, since
    # the commands that are started would inherit the latter.
    signal.signal(signal.SIGHUP, lambda *_: None)
    # Where it is ignored, which is handed on, the kernel forgets how a command ended (wait(2)).
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    channel = Channel.take_over()
    version = ".".join(str(number) for number in sys.version_info[:3])
    # Of a later agent of the same run, whose controller has given this connection up.
    signal.signal(signal.SIGUSR1, lambda *_: channel.dismiss())
    channel.send({"castoff": PROTOCOL, "python": version})
    operations = Operations(channel)
    try:
        while True:
            _answer_one(channel, operations)
    except Gone:
        operations.leave()


def _answer_one(channel: Channel, operations: Operations) -> None:
    channel.answering = None
    error: dict[str, str] | None = None
    try:
        try:
            result = _perform(channel, operations)
        finally:
            channel.drop()
    except AgentError as failure:
        error = _error(failure)
    except OSError as failure:
        error = _error(from_os_error(failure))
    except _FAULTS as failure:
        error = _error(_fault(failure))
    # Not before the failure is let go of, and the files that it held: a disk may be full of them.
    if error is not None:
        # It may go round in a circle: what a thread met is kept for who waits for that.
        gc.collect()
        channel.answer(error=error)
    else:
        channel.answer(result=result)


def _perform(channel: Channel, operations: Operations) -> dict[str, Any]:
    try:
        request = channel.request()
    except ValueError:
        raise AgentError("invalid", "a request must be one line of JSON") from None
    if not isinstance(request, dict):
        raise AgentError("invalid", "a request must be a JSON object")
    channel.answering = request.get("id")
    return operations.perform(request.get("op"), Parameters(request))


def _error(error: AgentError) -> dict[str, str]:
    return {"code": error.code, "message": error.message, "hint": error.hint}


def _fault(error: BaseException) -> AgentError:
    place = "?"
    trace = error.__traceback__
    while trace is not None:
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return AgentError(
        "internal",
        f"a fault in the agent: {type(error).__name__} at {place}",
        "Report it to Castoff's authors, with this message.",
    )
