"""The scope of a release from the command's words; only commands that reach hosts load this."""

from __future__ import annotations

from castoff.cli.project import Project, cache_folder, who
from castoff.config.hosts import resolve_hosts
from castoff.config.select import select_environment
from castoff.releaser.job import Scope
from castoff.store.probe import probe


def open_scope(project: Project, environment: str | None, *, writes: bool) -> Scope:
    """Return whose hosts and whose history a command means.

    Args:
        project: The project.
        environment: The environment's name, or None for the default or only one.
        writes: Whether locks and channels will be written; then the store must have shown once
            that it honours conditional writes.

    Raises:
        UsageError: No such environment, or several and none is named.
        StoreError: The store does not keep the promises that locks need.
    """
    name, chosen = select_environment(project.loaded.config, environment)
    hosts = resolve_hosts(project.app, chosen, project.loaded.base)
    store = project.store()
    if writes:
        probe(store, cache=cache_folder())
    return Scope(
        app=project.app,
        recipe=project.recipe,
        environment_name=name,
        environment=chosen,
        hosts=hosts,
        store=store,
        url_expires=project.loaded.config.store.url_expires,
        who=who(),
        signers=project.signers if chosen.require_signature else None,
    )
