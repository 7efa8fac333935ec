"""See that a service runs from the release, all of it, and answers."""

from __future__ import annotations

import time

from ..errors import AgentError, user_name
from .evidence import INHERITED, evidence
from .process_table import process_table, short_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .errand import Errand
    from .service import Service

# Seconds between two looks.
_LOOK = 0.1
_SHOW = (
    "A process shows its release by its program, working folder, loaded libraries or the variable "
    "that the release's launchers set; let it work in {current}, or start it by one of those. What "
    "it only inherits from the step's own command does not count."
)
_COME_AND_GO = (
    "If it is meant to start a process for each thing that it does, let the step ask it "
    "(`answers`), or raise the step's `timeout` above `grace`."
)


class Wrong:
    """Why a service is not, or not yet, what it should be.

    Attributes:
        message: A sentence's end.
        hint: What to do about it.
        leaving: Whether it is only that processes of before are still there.
    """

    def __init__(self, message: str, hint: str = "", *, leaving: bool = False) -> None:
        self.message = message
        self.hint = hint
        self.leaving = leaving


class Proof:
    """What has to be so before a restart counts as done.

    Attributes:
        grace: Seconds that processes of before have for what they have begun.
        settle: Seconds that all must stay so. Where processes come and go, one must stay so long
            while the service answers; `grace` seconds if it is not asked.
        answers: Asks the service once, given a deadline; says what is wrong, or None.
    """

    def __init__(
        self, grace: float, settle: float, answers: Callable[[float], str | None] | None
    ) -> None:
        self.grace = grace
        self.settle = settle
        self.answers = answers


def prove(errand: Errand, service: Service, before: dict[int, int], proof: Proof) -> dict[str, Any]:
    """Wait until a service runs from the step's release and from no other, and answers.

    Args:
        errand: The step.
        service: What was restarted.
        before: Its processes from before, each with when it was started.
        proof: What has to be so.

    Raises:
        AgentError: `step-failed`: it does not come to be so in time, and why. `unhealthy`: it
            only does not answer. What the service raises.
        Gone: The controller left.
    """
    look = _Look(errand, service, before, proof)
    try:
        while not look.is_proof():
            errand.channel.check(_LOOK)
    except AgentError as error:
        # That the time is up says less than what it was waited for.
        if error.code == "step-timeout" and look.wrong is not None:
            raise look.error() from error
        raise
    return {"seconds": errand.deadline.spent, "processes": sorted(look.found)}


class _Look:
    """What was seen of a service when it was looked at last."""

    def __init__(
        self, errand: Errand, service: Service, before: dict[int, int], proof: Proof
    ) -> None:
        self._errand = errand
        self._service = service
        self._before = before
        self._proof = proof
        self._began = self._since = self._same_since = time.monotonic()
        self._code = "step-failed"
        # Those that have been there since all is as it should be.
        self._stayed: set[tuple[int, int]] = set()
        # Whether one has ended since: a server that starts has more and more, which is no sign.
        self._some_left = False
        self.found: dict[int, int] = {}
        self.wrong: Wrong | None = None

    def is_proof(self) -> bool:
        """Look again; return whether all is, and has been for a while, as it should be."""
        errand, service = self._errand, self._service
        errand.channel.check()
        found = service.processes()
        wrong, code = judge(errand, service, found, self._before), "step-failed"
        # Asked in any case: some servers restart when they are asked next.
        unanswered = self._proof.answers(errand.deadline.at) if self._proof.answers else None
        if wrong is None and unanswered is not None:
            code, wrong = "unhealthy", Wrong(f"{service.name} does not answer: {unanswered}")
        now = time.monotonic()
        if wrong is not None:
            self._stayed = set()
        elif self._stayed & found.items():
            self._stayed &= found.items()
            self._some_left = self._some_left or not self.found.items() <= found.items()
        else:
            self._since, self._stayed, self._some_left = now, set(found.items()), False
        if wrong is not None or found.items() != self.found.items():
            self._same_since = now
        self.found, self._code = found, code
        if wrong is None:
            if self._has_settled(now):
                return True
            if self._same_since > self._since:
                wrong = (
                    Wrong(f"processes of {service.name} come and go", _COME_AND_GO)
                    if self._some_left
                    else Wrong(f"{service.name} starts processes still", _COME_AND_GO)
                )
        self.wrong = wrong
        hopeless = None if found else service.hopeless()
        if hopeless is not None:
            service.last_words()
            raise errand.failed(hopeless, "See its log on the host.")
        if wrong is not None and wrong.leaving and now - self._began >= self._proof.grace:
            service.last_words()
            raise self.error()
        errand.deadline.left()
        return False

    def _has_settled(self, now: float) -> bool:
        """Whether all has been as it should be for long enough."""
        if now - self._same_since >= self._proof.settle:
            return True
        asked = self._proof.answers is not None
        patience = self._proof.settle if asked else max(self._proof.grace, self._proof.settle)
        if now - self._since < patience:
            return False
        if self._some_left:
            some = ", ".join(_named(number) for number, _ in sorted(self._stayed)[:5])
            name = self._service.name
            self._errand.say(f"{name}: {some} stayed, while others came and went")
        return True

    def error(self) -> AgentError:
        """Return the error that says what was wrong last."""
        what = self.wrong or Wrong("nothing was seen")
        return AgentError(self._code, f"step {self._errand.name!r}: {what.message}", what.hint)


def judge(
    errand: Errand, service: Service, found: dict[int, int], before: dict[int, int]
) -> Wrong | None:
    """Return what shows that a service does not run from the release, and from it alone."""
    if not found:
        return Wrong(f"{service.name} does not run")
    table = process_table()
    left = {n for n, started in before.items() if n in table and table[n].started == started}
    ask = errand.look_into if errand.becomes_another else None
    seen = evidence(sorted({*found, *left}), errand.layout, ask)
    version = errand.version
    for number, releases in seen.items():
        if releases is None:
            who = errand.user or user_name()
            return Wrong(
                f"{who} may not see which release process {_named(number)} of {service.name} "
                "runs from",
                "Set the step's `user` to the user that it runs as, or to root.",
            )
        for other in sorted(set(releases) - {version}):
            return Wrong(
                f"process {_named(number)} of {service.name} still runs from {other}, not "
                f"{version}: {releases[other]} is in it",
                "It was not restarted, or started again by a path that was resolved before the "
                f"release: let it go by way of {errand.link}.",
                leaving=True,
            )
        if service.replaces and number in left and number not in service.stays:
            return Wrong(
                f"process {_named(number)} of {service.name} is the one of before",
                "It was not restarted, or takes longer than `grace` to finish.",
                leaving=True,
            )
    if not any((seen.get(n) or {}).get(version, INHERITED) != INHERITED for n in found):
        numbers = ", ".join(_named(number) for number in sorted(found)[:5])
        hint = _SHOW.format(current=errand.link)
        return Wrong(f"nothing shows that {service.name} ({numbers}) runs from {version}", hint)
    return None


def _named(number: int) -> str:
    name = short_name(number)
    return f"{number} ({name})" if name else str(number)
