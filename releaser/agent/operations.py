"""From an operation's name to the function that does it, each loaded when first asked for."""

from __future__ import annotations

from .errors import AgentError
from .parameters import Parameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .layout import Layout
    from .messages import Channel
    from .serving import Serving
    from .step_code import StepCode
    from .visit import Visit

_READING = ("state", "verify", "processes", "lock", "foresee", "prunable", "compare")
_CHANGING = (
    "prepare",
    "offer",
    "withdraw",
    "run",
    "load",
    "built_in",
    "http",
    "color",
    "ready",
    "activate",
    "confirm",
    "prune",
    "quarantine",
    "page",
    "maintenance",
)


class Operations:
    """All operations for one controller, which opens the app first."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._visit: Visit | None = None
        self._serving: Serving | None = None
        self._steps: StepCode | None = None

    def perform(self, name: object, parameters: Parameters) -> dict[str, Any]:
        """Do one operation; return its result.

        Raises:
            AgentError: It failed, is unknown, or needs an `open` that was not.
            OSError: The system refused something.
            Gone: The controller left.
        """
        if name == "open":
            return self._open(parameters)
        if name == "expect":
            return _expect(parameters)
        if not isinstance(name, str) or name not in _READING + _CHANGING:
            raise AgentError("invalid", f"an unknown operation: {name!r}")
        if self._visit is None:
            raise AgentError("invalid", f"{name!r} needs an app that was opened")
        layout = self._visit.layout
        if name in _READING:
            return _read(name, layout, self._channel, parameters)
        if not self._visit.fenced and name != "prune":
            raise AgentError("no-space", "the disk is full: only `prune` can be done")
        # A person's own command (`castoff run`) must not keep a release waiting for hours.
        if not self._visit.locked and not _needs_no_lock(name, parameters):
            raise AgentError("invalid", f"{name!r} needs the host's lock")
        return self._change(name, layout, parameters)

    def leave(self) -> None:
        """Let go of the app when the controller has left, and see to the next start."""
        visit, self._visit = self._visit, None
        if visit is None:
            return
        changes = visit.locked and visit.fenced
        visit.end()
        if changes:
            from .own_code import keep_compiled

            keep_compiled(visit.layout)
            if self._steps is not None:
                self._steps.keep()

    def _open(self, parameters: Parameters) -> dict[str, Any]:
        from .visit import open_visit

        if self._visit is not None:
            self._visit.end()
            self._visit = None
        self._visit, result = open_visit(parameters)
        return result

    def _change(self, name: str, layout: Layout, parameters: Parameters) -> dict[str, Any]:
        from .journal import note

        outcome = "not finished"
        try:
            result = self._lasting(name, layout, parameters)
            outcome = "done"
        except AgentError as error:
            outcome = error.code
            raise
        finally:
            note(layout, name, parameters, outcome)
        return result

    def _lasting(self, name: str, layout: Layout, parameters: Parameters) -> dict[str, Any]:
        """Do what siblings or later operations have a part in; or anything else."""
        if name == "prepare":
            return self._prepare(layout, parameters)
        if name == "offer":
            from .serving import Serving

            self._withdraw()
            self._serving = Serving(parameters)
            return self._serving.place
        if name == "withdraw":
            self._withdraw()
            return {}
        if name == "load":
            from .step_code import StepCode

            self._steps = StepCode(layout)
            return self._steps.load(parameters)
        return _change(name, layout, self._channel, parameters)

    def _prepare(self, layout: Layout, parameters: Parameters) -> dict[str, Any]:
        from .prepare import prepare
        from .table_fetch import with_table

        serving = self._serving
        if serving is None:
            told = with_table(layout, self._channel, parameters, None)
            return prepare(layout, self._channel, told)
        try:
            told = with_table(layout, self._channel, parameters, serving.offers.table)
        except (AgentError, OSError):
            serving.offers.close()
            raise
        return prepare(layout, self._channel, told, serving.offers)

    def _withdraw(self) -> None:
        if self._serving is not None:
            self._serving.end()
            self._serving = None


def _expect(parameters: Parameters) -> dict[str, Any]:
    """Load what a later operation needs, while nobody waits for anything."""
    if parameters.text("what") == "prepare":
        from . import prepare, table_fetch, visit

        del prepare, table_fetch, visit
        if parameters.flag("by_url"):
            from . import range_download

            del range_download
    return {}


def _needs_no_lock(name: str, parameters: Parameters) -> bool:
    """Whether an operation changes nothing that a release is about."""
    looks = name == "built_in" and parameters.get("what") == "backups"
    return looks or name in ("run", "load")


# One branch an operation, each with its own import: `activate` must not wait for `ssl`.


def _read(name: str, layout: Layout, channel: Channel, parameters: Parameters) -> dict[str, Any]:
    if name == "verify":
        from .verify import verify

        return verify(layout, parameters)
    if name == "processes":
        from .processes import processes_of_releases

        used = processes_of_releases(layout)
        return {"processes": {version: sorted(numbers) for version, numbers in used.items()}}
    if name == "lock":
        from .holder import holder

        return {"holder": holder(layout.lock)}
    if name in ("foresee", "compare", "prunable"):
        return _look_ahead(name, layout, channel, parameters)
    from .state import report

    return {"state": report(layout)}


def _look_ahead(
    name: str, layout: Layout, channel: Channel, parameters: Parameters
) -> dict[str, Any]:
    """Return what another operation would do."""
    if name == "foresee":
        from .prepare import foresee

        return foresee(layout, channel, parameters)
    if name == "compare":
        from .compare import compare

        return compare(layout, parameters)
    from .prune import prunable

    return prunable(layout, parameters)


def _change(name: str, layout: Layout, channel: Channel, parameters: Parameters) -> dict[str, Any]:
    if name in ("run", "http", "built_in"):
        return _step(name, layout, channel, parameters)
    if name == "prune":
        from .prune import prune

        return prune(layout, parameters)
    if name in ("page", "maintenance", "color", "ready"):
        return _change_beside(name, layout, parameters)
    from .activate import activate, confirm
    from .quarantine import quarantine

    last = {"activate": activate, "confirm": confirm, "quarantine": quarantine}
    return last[name](layout, parameters)


def _step(name: str, layout: Layout, channel: Channel, parameters: Parameters) -> dict[str, Any]:
    """Do what one of the configuration's steps asks for."""
    if name == "run":
        from .run import run

        return run(layout, channel, parameters)
    if name == "http":
        from .health import check_health

        return check_health(channel, parameters)
    from .built_in import perform

    return perform(layout, channel, parameters)


def _change_beside(name: str, layout: Layout, parameters: Parameters) -> dict[str, Any]:
    """Change one of the links beside `current`."""
    if name in ("page", "maintenance"):
        from .maintenance import put_page, switch_page

        return put_page(layout, parameters) if name == "page" else switch_page(layout, parameters)
    from .colors import note_ready, take_color

    return take_color(layout, parameters) if name == "color" else note_ready(layout, parameters)
