"""What castoff.toml says of the steps of a release."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from castoff.config import rules
from castoff.config.backup_step import Backup
from castoff.config.cache_step import ClearCache
from castoff.config.check_step import Check
from castoff.config.http_step import Http
from castoff.config.migrate_step import Migrate
from castoff.config.restart_step import Restart
from castoff.config.secret_tables import SecretName
from castoff.config.table import Address, Moment, Name, Retries, Seconds, Table, Text
from castoff.config.tcp_step import Tcp

# Keys of a step whose tables are no commands: what they ask for is done by code of the agent that
# only goes to hosts where such a step runs (releaser/agent/builtins/, a module for each).
BUILT_INS = ("tcp", "check", "backup", "migrate", "restart", "clear_cache")


class Step(Table):
    """`[[environments.E.steps]]`: a command or check, its moment, and where it runs.

    Moments, in their order: `before_prepare`, on each host before it fetches anything, in the
    release that it serves (where it serves none the step is passed over); `prepare`, on each host
    in its new release, before the barrier;
    `backup`, on the leader, after the barrier and before anything changes; `once`, on the
    leader, before any host flips (migrate); `start_idle` and `check_idle`, with the strategy
    blue-green alone, on each host in the colour that does not serve; `before_activate`, on each
    host right before its flip (take it from its load balancer); `activate`, on each host right
    after its flip (restart); `after_activate`, on each host after that (health; back to the load
    balancer). A rollback runs no `backup` and no `once` steps. The leader of a step is the first
    host in the file that it is for and that takes part. Three moments are not among those:
    `quarantine` is for a host that the release goes on without, if it can be reached, in the
    release that it serves (take it from its load balancer); `on_rollback`, for each host whose
    link went back, by `castoff rollback` or after a failure, in the release that it went back to,
    right before the restart; `on_failure`, for each host once a run has failed and all is back, in
    the release that it serves.
    """

    name: Name
    moment: Moment
    # Run by /bin/sh -c in the release's directory; with `run_on = "controller"`, beside
    # castoff.toml.
    command: Text | None = None
    http: Http | None = None
    tcp: Tcp | None = None
    check: Check | None = None
    backup: Backup | None = None
    migrate: Migrate | None = None
    restart: Restart | None = None
    clear_cache: ClearCache | None = None
    # Where the command runs: on each host that the step is about, or for it on the machine that
    # releases.
    run_on: Literal["host", "controller"] = "host"
    # Hosts with any of these roles; default: all.
    roles: tuple[Name, ...] = ()
    # Globs of names of hosts that it is for; default: all. With `roles`, those that both take in.
    hosts: tuple[Text, ...] = ()
    # Whether it runs on the leader alone; always so at `backup` and `once`. At `after_activate` it
    # waits for all hosts, those of the last group too.
    once: bool = False
    # Apps it belongs to; default: all.
    apps: tuple[Name, ...] = ()
    # User on the host that a command becomes, where that is not the one who releases: by root
    # directly, else by sudo without a password.
    user: Address | None = None
    # Whether the run fails when it fails, or goes on with a warning.
    on_failure: Literal["fail", "warn"] = "fail"
    timeout: Seconds = 300
    # How often it is tried again when it fails or the host is lost meanwhile, and the pause
    # before the first of these tries in seconds; each further pause is twice as long, up to a
    # minute, and a part of it is chance.
    retries: Retries = 0
    retry_wait: Seconds = 1
    env: dict[str, str] = Field(default_factory=dict)
    # Secrets of the environment that it has as variables of their names.
    secrets: tuple[SecretName, ...] = ()

    @property
    def built_in(self) -> str | None:
        """The key of its built-in; None where it is a command or a request over HTTP."""
        return next((key for key in BUILT_INS if getattr(self, key) is not None), None)

    @model_validator(mode="after")
    def _does_one_thing(self) -> Step:
        rules.require(rules.step(self, BUILT_INS))
        return self
