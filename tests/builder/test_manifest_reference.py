"""The reference of the manifest and the models are held together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from castoff.builder.build import BuildResult
from castoff.store.manifest import Blob, Dependency, Manifest, Pruned, Source, Target
from castoff.store.migrations import AppMigrations, Effect, MigrationNote

REFERENCE = Path(__file__).parents[2] / "docs/reference/manifest.md"
PARTS: dict[str, type[BaseModel]] = {
    "": Manifest,
    "source": Source,
    "target": Target,
    "archive": Blob,
    "table": Blob,
    "dependencies": Dependency,
    "pruned": Pruned,
    "migrations": AppMigrations,
    "migrations.notes": MigrationNote,
    "migrations.notes.effects": Effect,
}


def fields() -> Iterator[str]:
    for part, model in PARTS.items():
        for name, field in model.model_fields.items():
            yield f"{part}.{field.alias or name}".removeprefix(".")


def rows() -> set[str]:
    lines = REFERENCE.read_text().splitlines()
    return {line.split("`")[1].replace("[]", "") for line in lines if line.startswith("| `")}


@pytest.mark.parametrize("name", list(fields()))
def test_every_field_has_a_row(name: str) -> None:
    assert name in rows()


def test_no_row_is_of_a_field_that_does_not_exist(
    tarball: BuildResult, zipapp: BuildResult
) -> None:
    named = {*tarball.manifest.built_with, *zipapp.manifest.built_with}
    tools = {f"built_with.{name}" for name in named}
    assert rows() - set(fields()) == tools
