"""What the agent's answers hold, checked where they enter: a host's word is outside input."""

from __future__ import annotations

from typing import Annotated, TypeVar

from pydantic import ConfigDict, Field, ValidationError

from castoff.releaser.errors import HostError
from castoff.store.deferred import Deferred
from castoff.store.outcomes import Way

R = TypeVar("R", bound="Reply")


class Reply(Deferred):
    """Base of all results; keys that a newer agent adds are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class Facts(Reply):
    """What the host is: docs/reference/agent-protocol.md, operation `open`."""

    python: str
    interpreter: str | None
    machine: str
    glibc: str | None
    user: str
    hostname: str
    root: str = ""
    free_bytes: int
    free_inodes: int


class Intent(Reply):
    """A flip that was begun and not yet confirmed."""

    release: str
    from_: str | None
    to: str | None

    model_config = ConfigDict(
        extra="ignore",
        frozen=True,
        alias_generator=lambda name: name.rstrip("_"),
        populate_by_name=True,
    )


class Marked(Reply):
    """That releases go on without a host, as it has been told; `since` by its own clock."""

    release: str
    since: float
    why: str


class HostState(Reply):
    """What the host serves, what it last called good, and what else lies there."""

    current: str | None
    good: str | None
    previous: str | None
    releases: tuple[str, ...]
    intent: Intent | None
    color: str | None = None
    colors: dict[str, str] = Field(default_factory=dict)
    maintenance: bool = False
    quarantine: Marked | None = None
    configured: bool = False
    edited: tuple[str, ...] = ()


class Page(Reply):
    """Result of `page`: the name to switch it on by."""

    page: str


class Switched(Reply):
    """Result of `maintenance`; `at` in the host's wall clock, seconds since the epoch."""

    before: str | None
    at: float


class TakenColor(Reply):
    """Result of `color`."""

    color: str
    live: str | None
    ready: bool
    release: str | None


class Opened(Reply):
    """Result of `open`."""

    facts: Facts
    state: HostState


class Prepared(Reply):
    """Result of `prepare`; `fetched` in bytes, and how many of them came in which way."""

    tree_sha256: str
    fetched: int
    ways: dict[Way, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    reused: bool
    notes: tuple[str, ...] = ()


class Offered(Reply):
    """Result of `offer`: where other hosts find it."""

    address: str
    port: int


class Flipped(Reply):
    """Result of `activate`; `at` in the host's wall clock, seconds since the epoch."""

    at: float
    seconds: float
    notes: tuple[str, ...] = ()


class Configured(Reply):
    """Result of the built-in `configure`: by which name `activate` brings it into use."""

    config: str
    notes: tuple[str, ...] = ()


class ComparedFile(Reply):
    """How a configuration file would change; texts are None where they are not to be told."""

    path: str
    change: str
    edited: bool
    before: str | None
    after: str | None


class Compared(Reply):
    """Result of `compare`: the files that would change."""

    files: tuple[ComparedFile, ...]


class Pruned(Reply):
    """Result of `prune` and `prunable`: why each version stays that does, and bytes freed."""

    removed: tuple[str, ...]
    kept: dict[str, str]
    freed: int


class Verified(Reply):
    """Result of `verify`; `differing` counts the paths of which maybe not all are named."""

    tree_sha256: str
    changed: tuple[str, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]
    differing: int


class Foreseen(Reply):
    """Result of `foresee`: bytes to fetch, in which ways, and what is wrong with what is there."""

    fetch: int
    ways: dict[Way, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    damage: str | None


class Held(Reply):
    """Result of `lock`: what the holder of the host's lock says of itself; None if it is free."""

    holder: str | None


class Processes(Reply):
    """Result of `processes`: their numbers by version."""

    processes: dict[str, tuple[int, ...]]


class Performed(Reply):
    """Result of `built_in`; what else it found is its own."""

    seconds: float

    model_config = ConfigDict(extra="allow", frozen=True)


class Ran(Reply):
    """Result of `run` and of `http`."""

    seconds: float


class Nothing(Reply):
    """Result of an operation that has nothing to say."""


class Loaded(Reply):
    """Whether the modules of built-in steps are with the agent now."""

    here: bool


def parse(kind: type[R], result: object, *, host: str) -> R:
    """Read a result.

    Raises:
        HostError: It does not have the fields it must have.
    """
    try:
        return kind.model_validate(result)
    except ValidationError as error:
        raise HostError(
            host, f"the agent's answer is not a {kind.__name__}: {error.errors()[0]['msg']}"
        ) from error
