"""The file table reads as it was written, and only if it is the one that is meant."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castoff.store import filetable
from castoff.store.digest import sha256
from castoff.store.errors import CorruptArtifact
from castoff.store.filetable import File, FileTable, Link, Member

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
NUMBERS = st.integers(0, 2**53)
DIGESTS = st.binary(max_size=4).map(sha256)
TABLES = st.builds(
    FileTable,
    members=st.lists(
        st.builds(
            Member,
            NUMBERS,
            NUMBERS,
            NUMBERS,
            DIGESTS,
            st.sampled_from(["gzip", "deflate", "stored"]),
        ),
        max_size=3,
    ).map(tuple),
    directories=st.lists(NAMES, max_size=3).map(tuple),
    files=st.lists(
        st.builds(File, NAMES, st.booleans(), NUMBERS, DIGESTS, NUMBERS, NUMBERS), max_size=3
    ).map(tuple),
    links=st.lists(st.builds(Link, NAMES, NAMES), max_size=3).map(tuple),
)


@given(TABLES)
def test_any_table_reads_as_it_was_written(table: FileTable) -> None:
    data = table.to_bytes()

    assert filetable.parse(data, expected_sha256=sha256(data)) == table
    assert gzip.decompress(filetable.compress(data)) == data


def test_the_gzipped_form_is_the_same_at_any_time() -> None:
    assert filetable.compress(b"{}")[4:8] == bytes(4)


def test_a_table_that_is_not_the_one_meant_is_refused() -> None:
    data = FileTable((), (), (), ()).to_bytes()

    with pytest.raises(CorruptArtifact, match="digest"):
        filetable.parse(data, expected_sha256=sha256(b"other"))


GOOD = {"schema": 1, "members": [], "directories": [], "files": [], "links": []}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        json.dumps({**GOOD, "schema": 2}).encode(),
        json.dumps({**GOOD, "members": [[0, 1, 2, "x", "bzip2"]]}).encode(),
        json.dumps({**GOOD, "files": [["a", 2, 0, "x", 0, 0]]}).encode(),
        json.dumps({**GOOD, "files": [["a", 1]]}).encode(),
        json.dumps({key: GOOD[key] for key in GOOD if key != "links"}).encode(),
    ],
)
def test_a_document_of_another_shape_is_refused(data: bytes) -> None:
    with pytest.raises(CorruptArtifact, match="schema 1"):
        filetable.parse(data, expected_sha256=sha256(data))
