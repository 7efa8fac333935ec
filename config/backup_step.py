"""What castoff.toml says of a step that backs data up."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from castoff.config import rules
from castoff.config.errors import Misfit
from castoff.config.table import RelativePath, Table, Text

Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
# What age takes: a key of its own, or a public key of ssh.
Recipient = Annotated[
    str, StringConstraints(pattern=r"^(age1[0-9a-z]+|ssh-(ed25519|rsa) [0-9A-Za-z+/=]+( .*)?)$")
]


class Backup(Table):
    """`[environments.E.steps.backup]`: data brought to safety, on the leader of the step.

    Kinds: `postgresql` (pg_dump), `mysql` or `mariadb` (mysqldump, mariadb-dump), `sqlite` (its
    online back-up), `files` (folders and files of `shared/`).
    """

    kind: Literal["postgresql", "mysql", "mariadb", "sqlite", "files"]
    # The database's name; for `sqlite` its file: absolute, or below `shared/`.
    database: Text | None = None
    # The variable (one of the step's `secrets`, or of `env`) that holds the database's URL. Else
    # the programs' own variables say where it is: PGHOST, PGPASSWORD, …; MYSQL_HOST, MYSQL_PWD, ….
    url: Variable | None = None
    # For `files`: what to back up, below `shared/`.
    paths: tuple[RelativePath, ...] = ()
    # Where it is kept: on the leader, or in the store beside the artifacts.
    to: Literal["host", "store"] = "host"
    # Folder on the host, only for its owner's eyes; default: `backups` in the app's root.
    folder: Annotated[str, StringConstraints(pattern=r"^/[^/]")] | None = None
    # How many back-ups of this step are kept; older ones go.
    keep: Annotated[int, Field(ge=1, le=1_000)] = 5
    # Public keys of age that it is encrypted to; none: it is not encrypted.
    recipients: tuple[Recipient, ...] = ()

    @model_validator(mode="after")
    def _names_what_it_backs_up(self) -> Backup:
        rules.require(_misfits(self))
        return self


def _misfits(table: Backup) -> tuple[Misfit, ...]:
    files = table.kind == "files"
    found = []
    if files != bool(table.paths):
        found.append(Misfit(("paths",), "kind 'files' needs 'paths', and no other kind has them"))
    if files and (table.database or table.url):
        found.append(Misfit(("kind",), "kind 'files' has neither 'database' nor 'url'"))
    if table.kind == "sqlite" and (table.database is None or table.url is not None):
        found.append(
            Misfit(("database",), "kind 'sqlite' needs 'database', its file, and no 'url'")
        )
    if table.folder is not None and table.to == "store":
        found.append(Misfit(("folder",), "what is kept in the store has no folder on a host"))
    return tuple(found)
