from __future__ import annotations

from pathlib import Path

import pytest

from support.archives import Artifact, make_artifact


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "srv" / "shop"


@pytest.fixture
def shop() -> Artifact:
    return make_artifact(
        "1.0",
        {
            "app/main.py": b"print('shop 1.0')\n",
            "app/empty.txt": b"",
            "bin/shop": (b"#!/bin/sh\necho shop 1.0\n", True),
            "app/static/größe.css": b"body {}\n" * 400,
        },
        directories=["app/media"],
        links={"app/latest": "main.py"},
    )


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    """Return a folder outside of the app's, as /etc is."""
    folder = tmp_path / "etc"
    folder.mkdir()
    return folder
