"""The engine's process: started with all it needs to know, heard line by line, ended with us."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib.util import find_spec

from castoff.provisioner.errors import CannotProvision
from castoff.provisioner.outcome import Outcome, ThingOutcome
from castoff.provisioner.work_order import HostOrder
from castoff.releaser.descriptors import make_room
from castoff.releaser.errors import Defect, HostKeyRejected, HostUnreachable

# A process of its own, since gevent changes how all of one waits. It looks for modules where we
# do, however Castoff was installed.
_ENGINE = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from castoff.provisioner.engine.main import main; main()"
)
_GRACE = 5.0


def run(
    orders: Sequence[HostOrder],
    told: Callable[[ThingOutcome], None],
    *,
    check: bool,
    at_once: int,
    connect_timeout: float,
    command_timeout: float,
) -> Outcome:
    """Make hosts ready, or only say what differs.

    If a host cannot be reached, nothing is changed on any; the others are still compared.

    Args:
        orders: What each host is to have.
        told: Called with each thing as it comes.
        check: Whether nothing is to be changed.
        at_once: How many hosts are connected to at once.
        connect_timeout: Seconds to reach a host.
        command_timeout: Seconds for each command there.

    Raises:
        CannotProvision: pyinfra is not installed.
        UsageError: The system does not allow a connection to each host at once.
        Defect: The engine broke.
    """
    if find_spec("pyinfra") is None:
        raise CannotProvision(
            "provisioning needs pyinfra, which is not installed",
            hint="Install it: pip install 'castoff[provision]'. Or let a tool of your own do it: "
            "`command` in [environments.NAME.provision].",
        )
    # The engine has our limits.
    make_room([order.host for order in orders])
    document = {
        "hosts": [order.as_json() for order in orders],
        "known_hosts": sorted(
            {str(o.host.known_hosts) for o in orders if o.host.known_hosts is not None}
        ),
        "check": check,
        "at_once": at_once,
        "connect_timeout": connect_timeout,
        "command_timeout": command_timeout,
    }
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        process = subprocess.Popen(
            [sys.executable, "-I", "-c", _ENGINE, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            # Ctrl-C is for us to pass on, once.
            start_new_session=True,
        )
        try:
            outcome = _hear(process, json.dumps(document), told)
            # It has said all it has to say; what still holds it up is ended below.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if outcome is None:
            complaints.seek(0)
            last = complaints.read().strip().splitlines()[-1:]
            raise Defect(f"the engine of provisioning broke off: {' '.join(last)}")
        return outcome


def _hear(
    process: subprocess.Popen[str], document: str, told: Callable[[ThingOutcome], None]
) -> Outcome | None:
    """Return what the engine says; None if it does not come to its end."""
    things: list[ThingOutcome] = []
    misses: list[HostUnreachable] = []
    if process.stdin is None or process.stdout is None:
        return None
    with process.stdout as lines:
        try:
            with process.stdin as stream:
                stream.write(document)
        except BrokenPipeError:
            return None
        for line in lines:
            facts = json.loads(line)
            if facts["event"] == "end":
                return Outcome(tuple(things), tuple(misses))
            if facts["event"] == "unreachable":
                kind = HostKeyRejected if facts["code"] == "host-key" else HostUnreachable
                host, message = facts["host"], facts["message"]
                misses.append(kind(host, message, code=facts["code"], hint=facts["hint"]))
            else:
                details = tuple(facts["details"])
                things.append(ThingOutcome(facts["host"], facts["name"], facts["state"], details))
                told(things[-1])
    return None
