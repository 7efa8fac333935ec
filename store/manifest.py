"""The manifest: the small document that says what a version is; its schema and its bytes.

Documented for readers in docs/reference/manifest.md. A later signature covers the exact bytes,
so a manifest that was read is kept with its bytes and never written again from its fields.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, ValidationError

from castoff.store import canonical
from castoff.store.deferred import Deferred
from castoff.store.errors import CorruptArtifact
from castoff.store.migrations import AppMigrations
from castoff.store.version import NAME, VERSION

SCHEMA: Literal[1] = 1

# What in `built_with` is no tool: the digest of castoff.toml's part in the build.
RECIPE = "recipe"

Format = Literal["tarball", "zipapp"]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Document(Deferred):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Source(_Document):
    """Where the tree came from: the commit, the name it was asked for by, and its time."""

    commit: str
    ref: str
    dirty: bool = False
    time: int  # seconds since the epoch: SOURCE_DATE_EPOCH, else the commit's own time


class Target(_Document):
    """What a host must offer to run the release; checked before it fetches anything.

    Attributes:
        python: The interpreter's version, `3.11`.
        exact_python: Whether only that minor version will do (compiled extensions).
        abi: The tag (PEP 425) of the interpreter's ABI that extensions need, where the version does
            not say it: `cp313t`, of one without a global lock (PEP 703), or `abi3`, which those do
            not have. Empty where the version says it all: manifests then lack it, as older ones do.
        requires_python: The project's own constraint, a PEP 440 specifier set, maybe empty,
            narrowed to the Pythons for which `lib/` has all that its wheels ask for.
        machine: `x86_64`, `aarch64`, …; empty where any will do.
        glibc: The least glibc version, `2.17`; empty where any libc will do.
        musl: The least musl version, `1.2`, where that is the C library; older manifests lack it.
    """

    python: str
    exact_python: bool
    abi: str = ""
    requires_python: str
    machine: str
    glibc: str
    musl: str = ""


class Blob(_Document):
    """A file of the artifact, by digest; `name` is the last part of its key in the store."""

    name: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._+-]*$")]
    size: Annotated[int, Field(ge=0)]
    sha256: Sha256


class Pruned(_Document):
    """What was left out of dependencies by rule: how many files, and their bytes."""

    files: Annotated[int, Field(ge=0)] = 0
    size: Annotated[int, Field(ge=0)] = 0


class Dependency(_Document):
    """An installed distribution, by its normalised name (PEP 503).

    Attributes:
        local: Whether it was built from the commit, and no index has it; older manifests do not
            say.
        sha256: Of the file that it was installed from, a wheel or sources; empty for what is local,
            and where it is not known.
    """

    name: str
    version: str
    local: bool = False
    sha256: Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64})?$")] = ""


class Manifest(_Document):
    """What one version of an app is.

    Attributes:
        archive: The tarball or zipapp.
        table: The gzipped file table as an object in the store; `table_sha256` is the digest of
            its uncompressed bytes.
        tree_sha256: The digest that every host attests once it has written the tree.
        entry_points: The launchers in `bin/`.
        migrations: Of every app that has some; a manifest of a version without any lacks it, as
            older ones do.
    """

    schema_: Annotated[Literal[1], Field(alias="schema")] = SCHEMA
    app: Annotated[str, StringConstraints(pattern=f"^{NAME.pattern}$")]
    version: Annotated[str, StringConstraints(pattern=f"^{VERSION.pattern}$")]
    format: Format
    source: Source
    target: Target
    archive: Blob
    table: Blob
    table_sha256: Sha256
    tree_sha256: Sha256
    tree_size: Annotated[int, Field(ge=0)]
    entry_points: tuple[str, ...]
    dependencies: tuple[Dependency, ...]
    pruned: Pruned = Pruned.model_construct()
    migrations: tuple[AppMigrations, ...] = ()
    built_with: dict[str, str]

    @property
    def tools(self) -> dict[str, str]:
        """The versions of all that had a part in the build, by name."""
        return {name: value for name, value in self.built_with.items() if name != RECIPE}

    def to_bytes(self) -> bytes:
        """Return the canonical JSON that is stored, and later signed."""
        document = self.model_dump(mode="json", by_alias=True)
        for dependency in document["dependencies"]:
            if not dependency["sha256"]:
                del dependency["sha256"]
        if not self.target.abi:
            # So that a Castoff that knows of one ABI a version reads those that need no other.
            del document["target"]["abi"]
        if self.migrations:
            # Most migrations have nothing unusual about them, and there may be hundreds.
            document["migrations"] = [
                app.model_dump(mode="json", exclude_defaults=True) for app in self.migrations
            ]
        else:
            # So that a Castoff that knows of no migrations reads those of projects without any.
            del document["migrations"]
        return canonical.dumps(document)


def parse(data: bytes, *, origin: str) -> Manifest:
    """Read a manifest's bytes.

    Args:
        data: The bytes, exactly as stored.
        origin: The file or URL they came from, for the message.

    Raises:
        CorruptArtifact: They are not a manifest of a schema that this Castoff knows.
    """
    try:
        return Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "document"
        raise CorruptArtifact(
            f"{origin}: not a manifest of schema {SCHEMA}: {where}: {first['msg']}",
            hint="It was made by another version of Castoff, or is damaged: build and push again.",
        ) from error
