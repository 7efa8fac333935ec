"""The scope of a release from the command's words; only commands that reach hosts load this."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from castoff.builder.commits_between import MOST_NAMED
from castoff.builder.git import Git
from castoff.builder.repository import GitRepository
from castoff.cli.cache_place import cache_folder
from castoff.cli.garbage import expect_some
from castoff.cli.project import Project, job_url, open_project, who
from castoff.config.environment_tables import Environment
from castoff.config.hosts import ResolvedHost, resolve_hosts
from castoff.config.select import select_environment
from castoff.releaser.inventory.host_list import look_up_hosts
from castoff.releaser.job import Scope
from castoff.releaser.partial import Choice, narrow
from castoff.store.probe import probe


class Meet(Protocol):
    """Hears of hosts."""

    def __call__(
        self, hosts: Sequence[ResolvedHost], environment: Environment, /, *, by_url: bool
    ) -> None:
        """Take the hosts, what they are of, and whether they fetch from the store by URL."""


def open_scope(
    project: Project,
    environment: str | None,
    *,
    writes: bool,
    choice: Choice | None = None,
    concurrency: int | None = None,
    meet: Meet | None = None,
) -> Scope:
    """Return whose hosts and whose history a command means; hosts are looked up here, once.

    Args:
        project: The project.
        environment: The environment's name, or None for the default or only one.
        writes: Whether locks and channels will be written; then the store must have shown once
            that it honours conditional writes.
        choice: Which of the hosts, or None for all.
        concurrency: How many of them are connected to at once, or None for as configured.
        meet: Called with the hosts as soon as they are known, before the store is opened.

    Raises:
        UsageError: No such environment or host, or several environments and none is named.
        HostsUnknown: The list of hosts cannot be had from where castoff.toml says it is.
        StoreError: The store does not keep the promises that locks need.
    """
    name, chosen = select_environment(project.loaded.config, environment)
    chosen = look_up_hosts(chosen, project.loaded.base)
    if concurrency is not None:
        fan_out = chosen.fan_out.model_copy(update={"concurrency": concurrency})
        chosen = chosen.model_copy(update={"fan_out": fan_out})
    hosts = resolve_hosts(project.app, chosen, project.loaded.base)
    by_url = not project.loaded.config.store.url.startswith("file:")
    every = choice is None or choice == Choice()
    if meet is not None and every:
        meet(hosts, chosen, by_url=by_url)
    store = project.store()
    if writes:
        probe(store, cache=cache_folder())
    scope = Scope(
        app=project.app,
        recipe=project.recipe,
        environment_name=name,
        environment=chosen,
        hosts=hosts,
        store=store,
        url_expires=project.loaded.config.store.url_expires,
        who=who(),
        signers=project.signers if chosen.require_signature else None,
        base=project.loaded.base,
        job_url=job_url(),
        repository=repository(project),
    )
    expect_some()
    if choice is not None:
        scope = narrow(scope, choice)
    if meet is not None and not every:
        meet(scope.hosts, chosen, by_url=by_url)
    return scope


def repository(project: Project, *, most: int | None = MOST_NAMED) -> GitRepository:
    """Return the repository beside castoff.toml; whether there is one is found when it is asked.

    Args:
        project: The project.
        most: How many commits are named; None for all.
    """
    return GitRepository(Git(project.loaded.base, os.environ), project.recipe.path, most)


def chosen_scope(
    config: Path | None,
    app: str | None,
    environment: str | None,
    only: str | None,
    without: str | None,
    *,
    writes: bool,
    concurrency: int | None = None,
    meet: Meet | None = None,
) -> Scope:
    """Return what a command's usual options mean together; raises as the functions it calls."""
    choice = Choice(only=only, without=without)
    return open_scope(
        open_project(config, app),
        environment,
        writes=writes,
        choice=choice,
        concurrency=concurrency,
        meet=meet,
    )
