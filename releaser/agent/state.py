"""What the host remembers of its releases: the good one, the one before it, a begun flip."""

from __future__ import annotations

import json
import os

from .current import read_current
from .durable import write_file
from .errors import AgentError
from .layout import Layout
from .records import complete_releases

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class State:
    """The content of `.castoff/state.json`.

    Attributes:
        good: The version last confirmed, or None.
        previous: The good one before it, or None.
        intent: A flip that was begun and not confirmed: `release`, `from`, `to`; with rendered
            configuration the sets of both, `config` and `from_config`; with blue-green, `color`;
            or None.
        color: The colour that the good version serves from, or None.
        colors: What each colour has: `version`, whether its instance was found healthy (`ready`),
            and by which `release`, or None.
        quarantine: That releases go on without this host: `release`, `since`, `why`; or None.
        token: The greatest fencing token that was seen.
        config: The set of rendered configuration files that the good version has, or None.
        confirmed: All versions here that were ever good, the latest confirmed last.
    """

    def __init__(self) -> None:
        self.good: str | None = None
        self.previous: str | None = None
        self.intent: dict[str, str | None] | None = None
        self.token = 0
        self.confirmed: list[str] = []
        self.color: str | None = None
        self.colors: dict[str, dict[str, Any]] = {}
        self.quarantine: dict[str, Any] | None = None
        self.config: str | None = None

    @classmethod
    def load(cls, layout: Layout) -> State:
        """Read the state; a host that never had a release has an empty one.

        Raises:
            AgentError: `corrupt`: the file is not what Castoff writes.
        """
        state = cls()
        try:
            with open(layout.state, "rb") as file:
                values = json.loads(file.read())
        except (FileNotFoundError, NotADirectoryError):
            return state
        except ValueError as error:
            raise _damaged(layout) from error
        try:
            state.good = values["good"]
            state.previous = values["previous"]
            state.intent = values["intent"]
            # A host that was released to before there were colours has noted none.
            state.color = values.get("color")
            state.colors = dict(values.get("colors", {}))
            state.quarantine = values.get("quarantine")
            state.config = values.get("config")
            state.token = int(values["token"])
            state.confirmed = [str(version) for version in values["confirmed"]]
        except (KeyError, TypeError, ValueError) as error:
            raise _damaged(layout) from error
        return state

    def save(self, layout: Layout) -> None:
        """Write the state at one stroke."""
        values = dict(sorted(vars(self).items()))
        write_file(layout.state, json.dumps(values).encode() + b"\n", layout.staging)

    def confirm(self, version: str) -> None:
        """Call a version good, and the former good one previous."""
        if self.good is not None and self.good != version:
            self.previous = self.good
        self.good = version
        if self.intent is not None:
            self.color = self.intent.get("color")
        self.intent = None
        self.quarantine = None
        self.confirmed = [other for other in self.confirmed if other != version]
        self.confirmed.append(version)


def report(layout: Layout) -> dict[str, Any]:
    """Return the protocol's `state`; reads only, and a root that is not there is an empty one."""
    from .maintenance import page_is_on

    state = State.load(layout)
    return {
        "current": read_current(layout),
        "good": state.good,
        "previous": state.previous,
        "releases": complete_releases(layout),
        "intent": state.intent,
        "color": state.color,
        "quarantine": state.quarantine,
        "colors": {color: entry["version"] for color, entry in state.colors.items()},
        "maintenance": page_is_on(layout),
        "configured": os.path.isdir(layout.config),
        "edited": _edited(layout),
    }


def _edited(layout: Layout) -> list[str]:
    """Return the files outside the release that somebody has changed, as far as we may look."""
    if not os.path.isdir(layout.outside):
        return []
    from .outside import edited

    try:
        return edited(layout)
    except AgentError as error:
        if error.code != "permission":
            raise
        return []


def _damaged(layout: Layout) -> AgentError:
    return AgentError(
        "corrupt",
        f"not a state that Castoff wrote: {layout.state}",
        f"Restore it, or remove it after making sure that {os.path.basename(layout.current)} "
        "is what the host should serve.",
    )
