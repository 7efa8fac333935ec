"""Restart a service, and see that what runs is the new release and answers."""

from __future__ import annotations

from ..http_check import HttpCheck
from .errand import Errand
from .proof import Proof, judge, prove
from .tcp import TcpCheck

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..layout import Layout
    from ..messages import Channel
    from ..parameters import Parameters
    from .service import Service


def perform(layout: Layout, channel: Channel, parameters: Parameters) -> dict[str, Any]:
    """Restart in the way that the step's table says, and wait until that shows.

    The exit status of whatever restarts is only the first half: it is done once a process of the
    service runs from the step's release, none runs from another one, and it answers.

    Raises:
        AgentError: `step-failed`, `step-timeout`, `unhealthy`, `missing`, `permission`.
        Gone: The controller left.
    """
    options = parameters.part("options")
    errand = Errand(layout, channel, parameters)
    service = _service(errand, options)
    proof = _proof(options)
    before = service.processes()
    shown = not service.replaces and bool(before) and judge(errand, service, before, {}) is None
    service.restart()
    done = prove(errand, service, before, proof)
    if shown and not before.keys().isdisjoint(done["processes"]):
        errand.say(
            f"{service.name} ran from {errand.version} before, too: that it has taken anything in "
            "anew is only its own word"
        )
    return done


# One branch a way, each with its own import: a host has mostly one of them.


def _service(errand: Errand, options: Parameters) -> Service:
    table = options.within("systemd")
    if table is not None:
        from .restart_systemd import SystemdUnit

        return SystemdUnit(errand, table)
    table = options.within("supervisor")
    if table is not None:
        from .restart_supervisor import SupervisorPrograms

        return SupervisorPrograms(errand, table)
    table = options.within("gunicorn")
    if table is not None:
        from .restart_gunicorn import Gunicorn

        return Gunicorn(errand, table)
    table = options.within("uwsgi")
    if table is not None:
        from .restart_uwsgi import Uwsgi

        return Uwsgi(errand, table)
    from .restart_plain import Plain

    return Plain(errand, options)


def _proof(options: Parameters) -> Proof:
    answers = options.within("answers")
    http = None if answers is None else answers.within("http")
    tcp = None if answers is None else answers.within("tcp")
    ask = HttpCheck(http).wrong if http else TcpCheck(tcp).wrong if tcp else None
    return Proof(options.seconds("grace"), options.seconds("settle"), ask)
