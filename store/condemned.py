"""What the garbage collector is going to remove: the fence between it and everybody else.

One document an app, replaced by compare-and-swap alone. The collector first *condemns* what nobody
needs, and *sweeps* only what has been condemned for the whole grace time; which of it is being
swept is written here before anything of it is deleted. Whoever is about to use a version or a file
takes it off the list of the condemned, upon which a collector that read the list before loses its
swap and looks again. What is being swept already is refused: it may be half gone.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Literal

from pydantic import Field

from castoff.store import keys, swapped
from castoff.store.backend import Store
from castoff.store.errors import Conflict, StoreError
from castoff.store.swapped import SwappedDocument

_TRIES = 10


class Condemned(SwappedDocument):
    """The document.

    Attributes:
        versions: Since when each version is condemned, seconds since the epoch.
        files: The same for public files, by their keys in the app's place.
        swept_versions: Those that are being removed.
        swept_files: Those that are being removed.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    versions: dict[str, float] = Field(default_factory=dict)
    files: dict[str, float] = Field(default_factory=dict)
    swept_versions: tuple[str, ...] = ()
    swept_files: tuple[str, ...] = ()


class BeingRemoved(StoreError):
    """The garbage collector is removing just this; some of it may be gone already."""


def read(store: Store, app: str) -> tuple[Condemned, str | None]:
    """Return the document and its entity tag; an empty one and None before the first collection.

    Raises:
        StoreError: The store cannot be read.
        CorruptArtifact: The document does not fit its schema.
    """
    seen = swapped.read(store, keys.condemned(app), Condemned)
    return (Condemned(), None) if seen is None else seen


def write(store: Store, app: str, document: Condemned, *, etag: str | None) -> str:
    """Write the document over the one that was read with `etag`; return the new entity tag.

    Raises:
        Conflict: Another has changed it since.
        StoreError: The store cannot be written.
    """
    _, tag = swapped.write(
        store,
        keys.condemned(app),
        document,
        etag=etag,
        lost=f"{store.url}: another has changed what is to be removed of {app}",
        hint="Try again in a minute.",
    )
    return tag


def spare(
    store: Store, app: str, *, version: str | None = None, files: Collection[str] = ()
) -> None:
    """Take what is about to be used off the list of the condemned.

    Raises:
        BeingRemoved: Some of it is being removed at this moment.
        StoreError: The store cannot be read or written.
    """
    wanted = frozenset(files)
    for _ in range(_TRIES):
        seen, etag = read(store, app)
        _refuse_swept(seen, app, version, wanted)
        if version not in seen.versions and wanted.isdisjoint(seen.files):
            return
        spared = seen.model_copy(
            update={
                "versions": {v: since for v, since in seen.versions.items() if v != version},
                "files": {f: since for f, since in seen.files.items() if f not in wanted},
            }
        )
        try:
            write(store, app, spared, etag=etag)
        except Conflict:
            continue
        return
    raise StoreError(
        f"{store.url}: the list of what is to be removed is changed by many at once",
        hint="Try again in a minute.",
    )


def _refuse_swept(seen: Condemned, app: str, version: str | None, files: Collection[str]) -> None:
    hint = (
        "If `castoff gc` is at work, wait until it is done; if it was killed, run it again. "
        "Then push the version again."
    )
    if version is not None and version in seen.swept_versions:
        raise BeingRemoved(f"{app} {version} is being removed from the store", hint=hint)
    for path in seen.swept_files:
        if path in files:
            raise BeingRemoved(f"{path}, an asset of {app}, is being removed", hint=hint)
