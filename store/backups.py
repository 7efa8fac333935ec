"""Back-ups: what is known of each, and those that the store keeps.

A back-up is a blob and a description, which is created last: without it there is no back-up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from castoff.store import keys
from castoff.store.backend import Store
from castoff.store.document import StoredDocument, parse
from castoff.store.errors import CorruptArtifact
from castoff.store.gather import read_many

# Time, step, chance: as the agent makes them (releaser/agent/builtins/backup_folder.py).
Identifier = Annotated[
    str, StringConstraints(pattern=r"^\d{8}-\d{6}-[0-9A-Za-z][0-9A-Za-z._-]*-[0-9a-f]{6}$")
]
_DESCRIPTION = ".json"


class Backup(StoredDocument):
    """What is known of a back-up.

    Attributes:
        id: What it is called.
        host: The host that made it, and that has it if the store has not.
        step: The step that made it.
        kind: `postgresql`, `mysql`, `mariadb`, `sqlite` or `files`.
        name: Which database or paths.
        version: What the host served when it was made; None if nothing.
        coming: What was about to be served; None where nothing was.
        time: When it was begun, seconds since the epoch, by the host's clock.
        seconds: How long it took.
        file: The name of its data.
        size: Bytes of that.
        sha256: Their digest.
        encryption: By what it is encrypted; None if it is not.
        tool: What made it, with its version.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = 1
    id: Identifier
    app: str
    environment: str
    host: str
    step: str
    kind: str
    name: str
    version: str | None
    coming: str | None
    time: float
    seconds: float
    file: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._-]+$")]
    size: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    encryption: str | None
    tool: str


def keep(store: Store, app: str, environment: str, backup: Backup, path: Path) -> None:
    """Put a back-up's data into the store, and then its description.

    Raises:
        CorruptArtifact: The file is not what the description says.
        StoreError: The store cannot be written.
    """
    if path.stat().st_size != backup.size:
        raise CorruptArtifact(f"back-up {backup.id} was cut short on its way from {backup.host}")
    prefix = keys.backups(app, environment)
    store.upload(prefix + backup.file, path, sha256=backup.sha256)
    store.create(prefix + backup.id + _DESCRIPTION, backup.to_bytes())


@dataclass(frozen=True, slots=True)
class Kept:
    """The back-ups that the store has.

    Attributes:
        whole: The oldest first.
        damaged: By its identifier, what is wrong with a description that cannot be read.
    """

    whole: tuple[Backup, ...]
    damaged: dict[str, CorruptArtifact]


def kept(store: Store, app: str, environment: str) -> Kept:
    """Return the back-ups that the store has: one that is damaged hides no other.

    Raises:
        StoreError: The store cannot be read.
    """
    prefix = keys.backups(app, environment)
    names = [one.key for one in store.entries(prefix) if one.key.endswith(_DESCRIPTION)]
    whole, damaged = [], {}
    for key, data in read_many(store, names):
        try:
            whole.append(parse(Backup, data, origin=f"{store.url}/{key}"))
        except CorruptArtifact as error:
            damaged[key.removeprefix(prefix).removesuffix(_DESCRIPTION)] = error
    return Kept(tuple(sorted(whole, key=lambda one: one.time)), damaged)


def fetch(store: Store, app: str, environment: str, backup: Backup, path: Path) -> None:
    """Write a back-up's data to a file, once every byte of it has been found right.

    Raises:
        CorruptArtifact: It is not what the description says.
        StoreError: The store cannot be read.
    """
    key = keys.backups(app, environment) + backup.file
    try:
        store.download(key, path, sha256=backup.sha256)
    except CorruptArtifact as error:
        raise CorruptArtifact(
            f"back-up {backup.id} is damaged: {error.message}",
            hint="Nothing was touched. Take another one: castoff backups",
        ) from error


def tidy(store: Store, app: str, environment: str, latest: Backup, *, most: int) -> list[str]:
    """Remove older back-ups of the same step and host, and what has no description.

    Only for whoever holds the environment's lease: of others, some might be on their way.

    Args:
        store: Where they are.
        app: The app.
        environment: The environment.
        latest: The one that was just made.
        most: How many stay.

    Returns:
        The identifiers of those that went.

    Raises:
        StoreError: The store cannot be read or written.
    """
    known = kept(store, app, environment)
    mine = [one for one in known.whole if (one.step, one.host) == (latest.step, latest.host)]
    # By the host's clock it may be the oldest: clocks are set back.
    mine.sort(key=lambda one: one.id == latest.id)
    gone = mine[: max(len(mine) - most, 0)]
    prefix = keys.backups(app, environment)
    for one in gone:
        store.delete(prefix + one.id + _DESCRIPTION)
    wanted = set(_objects(one for one in known.whole if one not in gone))
    # Data of which nothing else is known may be all that is left.
    spared = tuple(f"{identifier}." for identifier in known.damaged)
    for entry in list(store.entries(prefix)):
        name = entry.key.removeprefix(prefix)
        if name not in wanted and not name.startswith(spared):
            store.delete(entry.key)
    return [one.id for one in gone]


def read(description: object, *, host: str) -> Backup:
    """Return what a host says of a back-up.

    Raises:
        CorruptArtifact: It is not what a host would say.
    """
    try:
        return Backup.model_validate(description)
    except ValueError as error:
        name = description.get("id", "") if isinstance(description, dict) else ""
        raise CorruptArtifact(
            f"{host} describes the back-up {name} in a way that is not Castoff's",
            hint="It was made by another version of Castoff, or its description is damaged.",
        ) from error


def _objects(several: Iterator[Backup]) -> Iterator[str]:
    for one in several:
        yield one.file
        yield one.id + _DESCRIPTION
