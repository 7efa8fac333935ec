"""Remove from a store what nobody needs any more, and never what somebody is about to use.

Two collections are needed to remove anything: one condemns it, a later one, after the grace time,
sweeps it (`condemned.py` has the reasons). Killed at any point, the next one goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from castoff.store import asset_list, condemned, keys, names
from castoff.store.backend import Entry, Store
from castoff.store.condemned import Condemned
from castoff.store.errors import Conflict, CorruptArtifact, ObjectMissing, StoreError
from castoff.store.gather import read_many
from castoff.store.manifest import parse as parse_manifest
from castoff.store.public.place import Shelf

# How often a collector begins anew because somebody took something off the list.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Doomed:
    """Something that nobody needs.

    Attributes:
        name: A version, or a public file's key.
        size: Bytes in the store.
        since: When it was condemned, seconds since the epoch.
        due: Whether its grace time is over, so that this collection removes it.
    """

    name: str
    size: int
    since: float
    due: bool


@dataclass(frozen=True, slots=True)
class Survey:
    """What a collection would do, or has done.

    Attributes:
        kept: Why each version that stays does so.
        versions: Those that nobody needs.
        files: Public files of versions that are gone, which no other version names.
        strays: Keys of objects below a version that its manifest does not know, with their sizes.
        uploads: How many unfinished uploads were removed; 0 before anything is.
    """

    kept: Mapping[str, str] = field(default_factory=dict)
    versions: tuple[Doomed, ...] = ()
    files: tuple[Doomed, ...] = ()
    strays: tuple[Entry, ...] = ()
    uploads: int = 0


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms things are removed.

    Attributes:
        grace: Seconds that anything is safe, since it was written and since it was condemned.
        now: Seconds since the epoch.
    """

    grace: float
    now: float


Needed = Callable[[], Mapping[str, str]]


def survey(
    store: Store, app: str, needed: Needed, terms: Terms, *, place: Shelf | None = None
) -> Survey:
    """Return what a collection would remove now, and what it would condemn; change nothing.

    Args:
        store: Where the app's versions are.
        app: The app.
        needed: Returns the versions that somebody needs, each with the reason.
        terms: The grace time.
        place: Where its public files are; None where it has none.

    Raises:
        CorruptArtifact: A list of assets or a manifest does not fit, so that nobody can say what
            is needed.
        StoreError: The store cannot be read.
    """
    document, _ = condemned.read(store, app)
    return _look(store, app, needed(), document, terms, place)


def collect(
    store: Store, app: str, needed: Needed, terms: Terms, *, place: Shelf | None = None
) -> Survey:
    """Remove what is due, condemn what is not; return what was found. Arguments as of `survey`.

    Raises:
        CorruptArtifact: As `survey`; nothing was removed.
        StoreError: The store cannot be read or written; what was not removed is next time.
    """
    for _ in range(_TRIES):
        document, etag = condemned.read(store, app)
        found = _look(store, app, needed(), document, terms, place)
        verdict = Condemned(
            versions={one.name: one.since for one in found.versions if not one.due},
            files={one.name: one.since for one in found.files if not one.due},
            swept_versions=tuple(one.name for one in found.versions if one.due),
            swept_files=tuple(one.name for one in found.files if one.due),
        )
        try:
            etag = condemned.write(store, app, verdict, etag=etag)
        except Conflict:
            continue
        _sweep(store, app, verdict, found, place)
        _finish(store, app, verdict, etag)
        return replace(found, uploads=store.sweep_uploads(older=max(terms.grace, 0)))
    raise _wanted_by_many(store, "Nothing was removed. Try again later.")


def _look(
    store: Store,
    app: str,
    needed: Mapping[str, str],
    document: Condemned,
    terms: Terms,
    place: Shelf | None,
) -> Survey:
    objects = _by_version(store, app)
    kept: dict[str, str] = {}
    doomed: list[Doomed] = []
    swept = document.swept_versions
    for version, entries in objects.items():
        written = max(entry.modified for entry in entries)
        if version not in swept and version in needed:
            kept[version] = needed[version]
        elif version not in swept and terms.now - written < terms.grace:
            kept[version] = "new in the store"
        else:
            size = sum(entry.size for entry in entries)
            doomed.append(_judged(version, size, document.versions, swept, terms))
    gone = {one.name for one in doomed if one.due}
    files = _files(store, app, objects, gone, document, terms, place)
    return Survey(kept, tuple(doomed), files, _strays(store, app, kept, objects, terms))


def _by_version(store: Store, app: str) -> dict[str, list[Entry]]:
    prefix = keys.artifacts(app)
    found: dict[str, list[Entry]] = {}
    for entry in store.entries(prefix):
        version = entry.key.removeprefix(prefix).partition("/")[0]
        found.setdefault(version, []).append(entry)
    return found


def _files(
    store: Store,
    app: str,
    objects: Mapping[str, list[Entry]],
    gone: Collection[str],
    document: Condemned,
    terms: Terms,
    place: Shelf | None,
) -> tuple[Doomed, ...]:
    """Return the public files that only versions have named which are gone, or go now.

    Whatever else lies at the place is not Castoff's, and none of its business.
    """
    if place is None:
        return ()
    candidates = set(document.files) | {
        path
        for data, origin in _lists(store, app, {v: objects[v] for v in gone})
        for path in asset_list.paths(data, origin=origin, immutable=True)
    }
    named = {
        path
        for data, origin in _lists(store, app, {v: objects[v] for v in objects if v not in gone})
        for path in asset_list.paths(data, origin=origin)
    }
    wanted = (candidates - named) | set(document.swept_files)
    if not wanted:
        return ()
    there = place.listing()
    return tuple(
        _judged(key, there[key].size, document.files, document.swept_files, terms)
        for key in sorted(wanted)
        if key in there
    )


def _judged(
    name: str, size: int, condemned: Mapping[str, float], swept: Collection[str], terms: Terms
) -> Doomed:
    """Say whether the time of something that nobody needs has come."""
    since = condemned.get(name, terms.now)
    due = name in swept or (name in condemned and terms.now - since >= terms.grace)
    return Doomed(name, size, since, due)


def _lists(
    store: Store, app: str, versions: Mapping[str, Iterable[Entry]]
) -> list[tuple[bytes, str]]:
    """Return the lists of assets of these versions, each with where it lies."""
    wanted = [
        entry.key
        for version, entries in versions.items()
        for entry in entries
        if asset_list.is_key(entry.key.removeprefix(f"{keys.artifacts(app)}{version}/"))
    ]
    found = read_many(store, wanted)
    if len(found) != len(wanted):
        raise StoreError(
            f"{store.url}: a version of {app} was removed while its assets were looked at",
            hint="Is another `castoff gc` at work? Nothing was removed. Try again later.",
        )
    return [(data, f"{store.url}/{key}") for key, data in found]


def _strays(
    store: Store,
    app: str,
    kept: Mapping[str, str],
    objects: Mapping[str, list[Entry]],
    terms: Terms,
) -> tuple[Entry, ...]:
    """Return archives and tables that no manifest names: another push has won over theirs."""
    found: list[Entry] = []
    for version in kept:
        prefix = f"{keys.artifacts(app)}{version}/"
        blobs = [e for e in objects[version] if names.is_blob(e.key.removeprefix(prefix))]
        # The archive and its table, no more: nothing to look for.
        if len(blobs) <= 2:  # noqa: PLR2004
            continue
        key = keys.manifest(app, version)
        try:
            manifest = parse_manifest(store.read(key).data, origin=f"{store.url}/{key}")
        except ObjectMissing:
            continue  # it is being pushed, and may need any of them
        known = {prefix + manifest.archive.name, prefix + manifest.table.name}
        found += [
            entry
            for entry in blobs
            if entry.key not in known and terms.now - entry.modified >= terms.grace
        ]
    return tuple(found)


def _sweep(store: Store, app: str, verdict: Condemned, found: Survey, place: Shelf | None) -> None:
    """Delete what the store says is being swept; each version's manifest first, to unpublish it."""
    for version in verdict.swept_versions:
        manifest = keys.manifest(app, version)
        store.delete(manifest)
        for entry in list(store.entries(f"{keys.artifacts(app)}{version}/")):
            store.delete(entry.key)
    for stray in found.strays:
        store.delete(stray.key)
    if place is not None and verdict.swept_files:
        place.delete(verdict.swept_files)


def _finish(store: Store, app: str, verdict: Condemned, etag: str) -> None:
    """Note that the sweep is over; whoever spared something meanwhile has changed the document."""
    if not verdict.swept_versions and not verdict.swept_files:
        return
    latest: Condemned = verdict
    for _ in range(_TRIES):
        over = latest.model_copy(
            update={
                "swept_versions": tuple(
                    v for v in latest.swept_versions if v not in verdict.swept_versions
                ),
                "swept_files": tuple(f for f in latest.swept_files if f not in verdict.swept_files),
            }
        )
        try:
            condemned.write(store, app, over, etag=etag)
        except Conflict:
            latest, seen = condemned.read(store, app)
            if seen is None:
                raise CorruptArtifact(
                    f"{store.url}/{keys.condemned(app)}: was removed by somebody",
                    hint="Run castoff gc again.",
                ) from None
            etag = seen
        else:
            return
    raise _wanted_by_many(store, "What was due is removed. Run castoff gc --apply again.")


def _wanted_by_many(store: Store, hint: str) -> StoreError:
    return StoreError(
        f"{store.url}: the list of what is to be removed is changed by many at once", hint=hint
    )
