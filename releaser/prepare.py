"""Prepare: every host gets the whole release beside what it serves. Nothing that serves changes."""

from __future__ import annotations

from typing import Any

from castoff.config.hosts import ResolvedHost
from castoff.releaser import kept
from castoff.releaser.agent.pace import Pace
from castoff.releaser.configuration.configure import configure
from castoff.releaser.configuration.rendered import Configuration
from castoff.releaser.documents import Documents
from castoff.releaser.errors import HostError, PrepareFailed
from castoff.releaser.fleet import Fleet
from castoff.releaser.job import Job
from castoff.releaser.on_each import Results, on_each
from castoff.releaser.patches import Patches
from castoff.releaser.peers import Peers, find_peers
from castoff.releaser.rates import paced, rate_of_each
from castoff.releaser.replies import Prepared
from castoff.releaser.retry import of_preparing, retrying
from castoff.releaser.run import run_step
from castoff.releaser.session import Asked, Event, Given
from castoff.releaser.sources import ArchiveSources, BlobSources
from castoff.releaser.steps import steps_on
from castoff.releaser.timeline import Timeline


def prepare(
    job: Job,
    fleet: Fleet,
    sources: ArchiveSources | None,
    timeline: Timeline,
    configuration: Configuration,
    documents: Documents,
) -> Results[Prepared]:
    """Bring the release to all hosts at once; return what each attests, or why it could not.

    Hosts fetch what they lack from `sources`; where that is None they must have it all already.
    Whatever comes of it, no host serves anything else than before.
    """
    rate = rate_of_each(job, fleet)
    with Patches(job) as patches:
        peers = Peers() if sources is None else find_peers(job, fleet, patches, timeline.watch)
        results = on_each(
            job.hosts,
            lambda host: _prepare_one(
                job, fleet, sources, peers, patches, timeline, host, configuration, documents, rate
            ),
        )
    peers.withdraw(job, fleet, results.values)
    return results


def barrier(job: Job, prepared: Results[Prepared]) -> None:
    """Let pass only if every host attests the very tree that was built.

    Raises:
        PrepareFailed: Some hosts could not prepare in their time, or attest another tree; all
            of them are named, and the others may pass.
    """
    wanted = job.manifest.tree_sha256
    wrong = [
        HostError(
            name, f"attests tree {attested.tree_sha256[:12]}, not {wanted[:12]}", code="corrupt"
        )
        for name, attested in prepared.values.items()
        if attested.tree_sha256 != wanted
    ]
    if prepared.failures:
        raise PrepareFailed(
            f"nothing was activated: {job.version} could not be prepared on every host",
            [*prepared.failures, *wrong],
            hint=f"Bring it to all hosts first: castoff prepare {job.version} "
            f"--env {job.environment_name}"
            if job.kind == "activate"
            else "",
        )
    if wrong:
        raise PrepareFailed("nothing was activated: hosts differ at the barrier", wrong)


def _prepare_one(
    job: Job,
    fleet: Fleet,
    sources: ArchiveSources | None,
    peers: Peers,
    patches: Patches,
    timeline: Timeline,
    host: ResolvedHost,
    configuration: Configuration,
    documents: Documents,
    rate: int,
) -> Prepared:
    watch = timeline.watch
    offer = None if sources is None else patches.offer(fleet.opened[host.name].state)

    def on_event(event: Event) -> None:
        if event.get("event") == "progress":
            watch.progress(host.name, str(event["step"]), int(event["done"]), int(event["total"]))

    def ask(told: dict[str, Any]) -> Prepared:
        return fleet.sessions[host.name].ask(
            Prepared,
            "prepare",
            Asked(
                timeout=job.within(host.name, job.environment.limits.prepare),
                on_event=on_event,
                archive=_given(sources, rate),
                patch=_given(None if offer is None else offer.sources, rate),
                table=_given(documents.table, rate),
            ),
            version=job.version,
            release=job.release,
            sources=[] if sources is None else [*peers.of(host), *sources.of(host)],
            patch=None if offer is None else offer.told(host, peers.of_patch(host)),
            max_rate=rate,
            shared=kept.shared(job.scope.recipe),
            writable=kept.writable(job.scope.recipe),
            configured=configuration.inside(host),
            rights=kept.rights(job.scope.recipe),
            interpreter=fleet.opened[host.name].facts.interpreter,
            layers=kept.layers(job.environment),
            verify=True,
            reread=job.kind not in ("rollback", "activate"),
            exact=job.kind in ("release", "prepare"),
            **told,
        )

    def table_sources() -> list[dict[str, Any]]:
        return [*peers.of(host), *documents.table.of(host)]

    def attempt() -> Prepared:
        told_by = None if sources is None else table_sources
        return documents.tell(fleet.opened[host.name].state, ask, told_by)

    served = fleet.opened[host.name].state.current
    for step in steps_on(job, "before_prepare", host):
        # On the host itself it needs a release to run in.
        if served is not None or step.run_on == "controller":
            run_step(job, fleet, timeline, step, host, served or job.version)
    again = of_preparing(job)
    prepared = retrying(job, fleet, timeline, host, "prepare", retries=again, action=attempt)
    timeline.fetched[host.name] = prepared.ways
    for note in prepared.notes:
        watch.note(f"{host.name}: {note}")
    configure(job, fleet, timeline, host, configuration)
    for step in steps_on(job, "prepare", host):
        run_step(job, fleet, timeline, step, host, job.version)
    return prepared


def _given(sources: BlobSources | None, rate: int) -> Given:
    if sources is None:
        return Given()
    return Given(paced(sources.read, Pace(rate)), sources.url)
