"""An environment's site: staged before the barrier falls, published at activation, taken back."""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from castoff.config.model import Site
from castoff.releaser.controller_step import OutOfTime, how_it_ended, run_command
from castoff.releaser.errors import NotActivated
from castoff.releaser.job import Job, Scope
from castoff.store import asset_list, condemned, keys
from castoff.store.artifacts import fetch_manifest, fetch_table
from castoff.store.asset_list import AssetList
from castoff.store.errors import StoreError
from castoff.store.manifest import Manifest
from castoff.store.open import check_store_url, split_s3
from castoff.store.public import pointer
from castoff.store.public.open import open_place
from castoff.store.public.site import (
    RELEASES,
    Version,
    forget,
    replace_files,
    send_immutable,
    send_whole,
)

if TYPE_CHECKING:
    from castoff.store.public.cloudfront import Distribution
    from castoff.store.public.place import Place

_PAUSE = 1.0
_LAST_LINES = 5


class SiteFailed(StoreError):
    """The site cannot be brought to a version, or the public does not see it."""


@dataclass(frozen=True, slots=True)
class _Opened:
    """A scope's site, its place opened, the app's name filled in."""

    settings: Site
    place: Place
    store: str
    url: str | None
    base: Path


def has_site(job: Job) -> bool:
    """Whether the job is about the environment's site too; a part of the hosts never is."""
    whole = not job.scope.partial and job.kind != "converge"
    return job.environment.site is not None and whole


def stage(job: Job) -> None:
    """Bring there whatever readers do not see before the site is published.

    Raises:
        NotActivated: The version has no public files.
        BeingRemoved: The garbage collector is removing one of them.
        CorruptArtifact: Something in the store does not match its digest.
        StoreError: The store or the site's place cannot be read or written.
    """
    try:
        with _version(job.scope, job.manifest) as version:
            _send(job, version)
    except SiteFailed as error:
        summary = f"nothing was activated: {error.message}"
        raise NotActivated(summary, [], hint=error.hint) from error


def _send(job: Job, version: Version) -> None:
    site = _open(job.scope)
    if site.settings.switch == "prefix":
        send_whole(site.place, version, cache_control=site.settings.cache_control)
    elif job.scope.recipe.cdn is None:
        files = [file.path for file in version.files.immutable]
        condemned.spare(job.scope.store, job.app, files=files)
        send_immutable(site.place, version)


def publish(job: Job, *, old: str | None) -> None:
    """Make the site that of the job's version; return once the public sees it.

    Args:
        job: The job.
        old: The version that the site may be of now.

    Raises:
        SiteFailed: The public does not see it in time, or a cache cannot be told.
        CorruptArtifact, StoreError: As `stage`.
    """
    _bring(job.scope, job.manifest, old)


def restore(job: Job, *, good: str) -> None:
    """Make the site that of the version that was good before the job; raises as `publish`."""
    manifest, _ = fetch_manifest(job.scope.store, job.app, good)
    _bring(job.scope, manifest, job.version)


def tidy(job: Job, keep: Collection[str]) -> None:
    """Remove the versions below the site's `releases/` that nobody goes back to; see `stage`."""
    site = _open(job.scope)
    if site.settings.switch == "prefix":
        forget(site.place, {job.version, *keep})


def _bring(scope: Scope, manifest: Manifest, old: str | None) -> None:
    site = _open(scope)
    before = _list(scope, old) if old is not None and old != manifest.version else None
    deadline = time.monotonic() + site.settings.timeout
    with _version(scope, manifest) as version:
        if site.settings.switch == "prefix":
            send_whole(site.place, version, cache_control=site.settings.cache_control)
            changed = _differing(version.files, before)
            _point(site, f"{RELEASES}{manifest.version}", deadline)
        else:
            changed = replace_files(
                site.place, version, before, cache_control=site.settings.cache_control
            )
        _tell_caches(site, manifest.version, changed, deadline)
        _see(site, version.files, deadline)


def _differing(new: AssetList, old: AssetList | None) -> tuple[str, ...]:
    """Return the names that keep, and whose content another release had, or did not have."""
    there = {file.path: file.sha256 for file in (old.mutable if old is not None else ())}
    here = {file.path: file.sha256 for file in new.mutable}
    return tuple(sorted(p for p in {*there, *here} if there.get(p) != here.get(p)))


def _point(site: _Opened, prefix: str, deadline: float) -> None:
    scheme, rest = check_store_url(site.store, None)
    if scheme == "file":
        pointer.point_to(site.base / unquote(rest), prefix)
        return
    _, folder = split_s3(site.store)
    path = f"/{folder}/{prefix}" if folder else f"/{prefix}"
    _distribution(site).point_to(path, timeout=_left(deadline))


def _tell_caches(site: _Opened, version: str, changed: Sequence[str], deadline: float) -> None:
    if not changed:
        return
    if site.settings.cloudfront is not None:
        # The origin path may hide where they lie in the bucket; `url` says where readers see them.
        base = urlsplit(site.url or "").path or "/"
        _distribution(site).invalidate(changed, base=base, timeout=_left(deadline))
    if site.settings.purge is not None:
        _purge(site, version, changed, deadline)


def _purge(site: _Opened, version: str, changed: Sequence[str], deadline: float) -> None:
    last: deque[str] = deque(maxlen=_LAST_LINES)
    try:
        status = run_command(
            site.settings.purge or "",
            folder=site.base,
            variables={"CASTOFF_VERSION": version},
            limit=_left(deadline),
            say=last.append,
            given="".join(f"{path}\n" for path in changed),
        )
    except OutOfTime as error:
        raise SiteFailed(f"the purge of caches for {version} did not end in time") from error
    if status != 0:
        said = " / ".join(last)
        raise SiteFailed(f"the purge of caches for {version} {how_it_ended(status)}: {said}")


def _see(site: _Opened, files: AssetList, deadline: float) -> None:
    """Ask for every file until the public sees it; a cache may need as long as it was told to."""
    if site.url is None:
        return
    # Here, so that no release without a site loads an HTTP client.
    from castoff.store.public.answers import wrong_answers

    while wrong := wrong_answers((site.url,), files.mutable):
        if time.monotonic() + _PAUSE >= deadline:
            more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
            raise SiteFailed(
                f"the site is not what was published: {wrong[0].url} {wrong[0].why}{more}",
                hint="Is `url` in [environments.*.site] served from its `store`, and what caches "
                "it in between?",
            )
        time.sleep(_PAUSE)


def _open(scope: Scope) -> _Opened:
    site = scope.environment.site
    if site is None:
        raise NotActivated(f"{scope.environment_name} has no site", [])
    base = scope.base or Path.cwd()
    url = None if site.url is None else site.url.replace("{app}", scope.app)
    return _Opened(site, open_site(site, scope.app, base), site.store_of(scope.app), url, base)


def open_site(site: Site, app: str, base: Path) -> Place:
    """Open the place of an app's site; nothing is asked of it yet.

    Raises:
        UsageError: The URL names no place that Castoff knows.
        StoreError: The AWS configuration has no such profile.
    """
    return open_place(
        site.store_of(app),
        base=base,
        endpoint_url=site.endpoint_url,
        region=site.region,
        profile=site.profile,
        path_style=site.path_style,
        checksums=site.checksums,
    )


def _distribution(site: _Opened) -> Distribution:
    # Here: it loads boto3.
    from castoff.store.public.cloudfront import Distribution

    settings = site.settings
    return Distribution(
        settings.cloudfront or "",
        region=settings.region,
        profile=settings.profile,
    )


@contextmanager
def _version(scope: Scope, manifest: Manifest) -> Iterator[Version]:
    """Yield a version with its archive on this machine."""
    table, _ = fetch_table(scope.store, manifest)
    files = asset_list.fetch(scope.store, manifest, table)
    if files is None:
        raise SiteFailed(
            f"{manifest.version} has no public files for the site",
            hint="They come from a table [apps.NAME.assets]; build and push a new version.",
        )
    key = keys.blob(manifest.app, manifest.version, manifest.archive.name)
    here = scope.store.local_path(key)
    if here is not None:
        yield Version(manifest.version, files, here, table)
        return
    with tempfile.TemporaryDirectory(prefix="castoff-") as folder:
        path = Path(folder) / "archive"
        scope.store.download(key, path, sha256=manifest.archive.sha256)
        yield Version(manifest.version, files, path, table)


def _list(scope: Scope, version: str) -> AssetList | None:
    manifest, _ = fetch_manifest(scope.store, scope.app, version)
    table, _ = fetch_table(scope.store, manifest)
    return asset_list.fetch(scope.store, manifest, table)


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 1.0)
