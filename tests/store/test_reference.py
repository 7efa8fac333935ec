"""docs/reference/store.md names each field of each document that lies beside artifacts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from castoff.store.backups import Backup
from castoff.store.channel import Channel
from castoff.store.condemned import Condemned
from castoff.store.deed import Deed
from castoff.store.document import StoredDocument
from castoff.store.freeze import Freeze
from castoff.store.history import Entry, HostRow, StepRow
from castoff.store.lease_document import LeaseDocument
from castoff.store.migration_log import MigrationEntry, MigrationLog
from castoff.store.patch import Patch
from castoff.store.pins import Pins
from castoff.store.quarantine import Quarantine, Quarantined
from castoff.store.remarks import Remarks
from castoff.store.run_document import RunDocument

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "store.md"
SECTIONS: dict[str, tuple[type[StoredDocument], ...]] = {
    "channel.json": (Channel,),
    "lock.json": (LeaseDocument,),
    "run.json": (RunDocument,),
    "migrations.json": (MigrationLog, MigrationEntry),
    "backups/<id>.json": (Backup,),
    "freeze.json": (Freeze,),
    "garbage.json": (Condemned,),
    "quarantine.json": (Quarantine, Quarantined),
    "pins.json": (Pins,),
    "patches/<from>.json": (Patch,),
    "history/<number>.json": (Entry, Deed, HostRow, StepRow),
    "history/<number>.remarks.json": (Remarks,),
}


def sections() -> dict[str, str]:
    parts = re.split(r"^### `(.+)`$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_section_is_about_a_document() -> None:
    assert set(sections()) == set(SECTIONS)


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_names_every_field(name: str) -> None:
    said = set(re.findall(r"`([a-z0-9_]+)`", sections()[name]))
    fields = {field for kind in SECTIONS[name] for field in kind.model_fields}
    # It is in all of them, and said once above.
    assert fields - said - {"schema_"} == set()
