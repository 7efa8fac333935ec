"""What castoff.toml says of the steps of a release."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from castoff.config import rules
from castoff.config.table import Moment, Name, Retries, Seconds, Table, Text


class Http(Table):
    """`[environments.E.steps.http]`: a request made on the host itself."""

    url: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")]
    status: Annotated[int, Field(ge=100, le=599)] = 200
    # Text that the body must hold; {version} stands for the version being released.
    contains: Text | None = None
    # Successes in a row that count as healthy, and the pause between two tries, in seconds.
    successes: Annotated[int, Field(ge=1, le=100)] = 1
    interval: Seconds = 0.5


class Step(Table):
    """`[[environments.E.steps]]`: a command or check, its moment, and where it runs.

    Moments, in their order: `prepare`, on each host in its new release, before the barrier;
    `backup`, on the leader, after the barrier and before anything changes; `once`, on the
    leader, before any host flips (migrate); `start_idle` and `check_idle`, with the strategy
    blue-green alone, on each host in the colour that does not serve; `before_activate`, on each
    host right before its flip (take it from its load balancer); `activate`, on each host right
    after its flip (restart); `after_activate`, on each host after that (health; back to the load
    balancer). A rollback runs no `backup` and no `once` steps. The leader of a step is the first
    host in the file that has one of its roles and takes part. `quarantine` is not among those: it
    is for a host that the release goes on without, if it can be reached, in the release that it
    serves (take it from its load balancer).
    """

    name: Name
    moment: Moment
    # Run by /bin/sh -c in the release's directory; with `run_on = "controller"`, beside
    # castoff.toml.
    command: Text | None = None
    http: Http | None = None
    # Where the command runs: on each host that the step is about, or for it on the machine that
    # releases.
    run_on: Literal["host", "controller"] = "host"
    # Hosts with any of these roles; default: all.
    roles: tuple[Name, ...] = ()
    # Apps it belongs to; default: all.
    apps: tuple[Name, ...] = ()
    timeout: Seconds = 300
    # How often it is tried again when it fails or the host is lost meanwhile, and the pause
    # before the first of these tries in seconds; each further pause is twice as long, up to a
    # minute, and a part of it is chance.
    retries: Retries = 0
    retry_wait: Seconds = 1
    env: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _does_one_thing(self) -> Step:
        rules.require(rules.step(self))
        return self
