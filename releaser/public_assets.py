"""Before anything changes: every asset that the release's pages name must be public."""

from __future__ import annotations

from castoff.releaser.errors import NotActivated
from castoff.releaser.job import Job
from castoff.store import asset_list
from castoff.store.artifacts import fetch_table

# How many URLs an error names.
_SHOWN = 10


def check_public(job: Job) -> None:
    """Return if every immutable asset of the version answers at every public URL.

    Raises:
        NotActivated: Some do not answer, or not with the right bytes; no host was flipped.
        CorruptArtifact: The store's list of them is not the release's.
        StoreError: The store cannot be read.
    """
    cdn = job.scope.recipe.cdn
    if cdn is None:
        return
    table, _ = fetch_table(job.scope.store, job.manifest)
    listed = asset_list.fetch(job.scope.store, job.manifest, table)
    if listed is None:
        return
    # Here, so that no release without a CDN loads an HTTP client.
    from castoff.store.public.answers import wrong_answers

    files = listed.immutable
    wrong = wrong_answers(cdn.urls, files, origins=cdn.allow_origins)
    if not wrong:
        return
    lines = [f"  {one.url} {one.why}" for one in wrong[:_SHOWN]]
    if len(wrong) > _SHOWN:
        lines.append(f"  and {len(wrong) - _SHOWN} more")
    asked = len(files) * len(cdn.urls)
    summary = (
        f"nothing was activated: {len(wrong)} of {asked} public assets of {job.version} are not "
        "there"
    )
    raise NotActivated(
        "\n".join([summary, *lines]),
        [],
        hint=f"castoff push {job.version} sends what is missing; what has the wrong bytes remove "
        "first. See that the CDN serves it and its caches keep nothing older, and release again.",
    )
