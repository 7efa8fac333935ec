"""The manifest reads as it was written, and nothing else reads as one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from castoff.store import manifest
from castoff.store.errors import CorruptArtifact
from support.tiny_artifact import write_artifact


@pytest.fixture
def good(tmp_path: Path) -> manifest.Manifest:
    """Return a manifest."""
    return write_artifact(tmp_path, "1.0").manifest


def test_a_manifest_reads_as_it_was_written(good: manifest.Manifest) -> None:
    data = good.to_bytes()

    assert manifest.parse(data, origin="here") == good
    assert manifest.parse(data, origin="here").to_bytes() == data
    assert json.loads(data)["schema"] == 1


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"schema": 2}, "schema"),
        ({"version": "../1"}, "version"),
        ({"app": "Shop"}, "app"),
        ({"format": "wheel"}, "format"),
        ({"tree_sha256": "0"}, "tree_sha256"),
        ({"archive": {"name": "../x", "size": 1, "sha256": "0" * 64}}, "archive.name"),
        ({"archive": {"name": "x", "size": -1, "sha256": "0" * 64}}, "archive.size"),
        ({"new_field": 1}, "new_field"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused_and_the_field_named(
    good: manifest.Manifest, change: dict[str, object], where: str
) -> None:
    data = json.dumps(json.loads(good.to_bytes()) | change).encode()

    with pytest.raises(CorruptArtifact) as caught:
        manifest.parse(data, origin="s3://a-bucket/shop")

    assert caught.value.message.startswith(
        f"s3://a-bucket/shop: not a manifest of schema 1: {where}: "
    )


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe", b"null"])
def test_what_is_no_manifest_at_all_is_refused(data: bytes) -> None:
    with pytest.raises(CorruptArtifact, match="not a manifest"):
        manifest.parse(data, origin="here")
