"""Sizes by package: whose file is whose, with RECORD at hand and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.store.errors import CorruptArtifact
from castoff.store.filetable import FileTable
from castoff.store.local_artifact import LocalArtifact, open_table
from castoff.store.packages import Group, by_package, read_owners
from support.archives import Content
from support.trees import write_tree

RECORD = b"yaml/__init__.py,sha256=x,10\n_yaml.so,,\nPyYAML-6.0.dist-info/RECORD,,\n../bin/yaml,,\n"
FILES: dict[str, Content] = {
    "app/manage.py": b"1" * 100,
    "bin/python": b"1",
    "bin/yaml": b"1" * 7,
    "lib/PyYAML-6.0.dist-info/METADATA": b"m",
    "lib/PyYAML-6.0.dist-info/RECORD": RECORD,
    "lib/_yaml.so": b"1" * 20,
    "lib/idna/core.py": b"1" * 30,
    "lib/orphan.py": b"1" * 3,
    "lib/stray/a.py": b"1" * 4,
    "lib/yaml/__init__.py": b"1" * 10,
    "lib/yaml/__pycache__/__init__.cpython-311.pyc": b"1" * 40,
}
DEPENDENCIES = {"pyyaml": "6.0", "idna": "3.10"}


@pytest.fixture
def artifact(tmp_path: Path) -> LocalArtifact:
    return write_tree(tmp_path, "1.0", FILES, dependencies=DEPENDENCIES, raw_member=10**6)


def table_of(artifact: LocalArtifact) -> FileTable:
    return open_table(artifact.table.read_bytes(), artifact.manifest, origin="table")


def test_record_decides_where_the_archive_is_at_hand(artifact: LocalArtifact) -> None:
    table = table_of(artifact)

    groups = by_package(artifact.manifest, table, read_owners(artifact.archive, table))

    yaml = 1 + len(RECORD) + 20 + 10 + 40 + 7
    assert groups == (
        Group("pyyaml", "6.0", 6, yaml),
        Group("app/", "", 1, 100),
        Group("idna", "3.10", 1, 30),
        Group("lib/stray/", "", 1, 4),
        Group("lib/orphan.py", "", 1, 3),
        Group("bin/", "", 1, 1),
    )


def test_names_decide_where_it_is_not(artifact: LocalArtifact) -> None:
    groups = by_package(artifact.manifest, table_of(artifact), {})

    sizes = {group.name: group.size for group in groups}
    assert sizes["pyyaml"] == 1 + len(RECORD)
    assert sizes["lib/yaml/"] == 50
    assert sizes["idna"] == 30
    assert sizes["bin/"] == 8
    assert sum(sizes.values()) == artifact.manifest.tree_size


def test_a_damaged_archive_is_told(artifact: LocalArtifact) -> None:
    artifact.archive.write_bytes(b"\0" * artifact.manifest.archive.size)

    with pytest.raises(CorruptArtifact, match="does not match its digest"):
        read_owners(artifact.archive, table_of(artifact))
