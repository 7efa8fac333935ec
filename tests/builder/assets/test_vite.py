from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from castoff.builder.assets import vite
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.settings import AssetSettings, Root
from support.asset_builds import Built, write

MANIFEST = {
    "src/main.ts": {
        "file": "assets/main-Ab3_x9.js",
        "src": "src/main.ts",
        "isEntry": True,
        "css": ["assets/main-Cd4.css"],
        "imports": ["_shared.js"],
    },
    "_shared.js": {"file": "assets/shared-Zz.js"},
}
OUTPUT = {
    ".vite/manifest.json": json.dumps(MANIFEST),
    "assets/main-Ab3_x9.js": "import './shared-Zz.js';   console.log( '/logo.svg' )",
    "assets/shared-Zz.js": "export   const a = 1",
    "assets/main-Cd4.css": "a  { b: c }",
    "logo.svg": "<svg xmlns='http://www.w3.org/2000/svg'>\n<path d='M 0 0 L 9 9'/></svg>",
}


def test_names_and_bytes_of_vite_are_kept(
    tmp_path: Path, build_roots: Callable[..., Built]
) -> None:
    own = write(tmp_path / "own", {"a.html": "<link rel=stylesheet href=v/assets/main-Cd4.css>"})
    dist = write(tmp_path / "dist", OUTPUT)
    built = build_roots([Root(own), Root(dist, "v")], AssetSettings())
    for name, text in OUTPUT.items():
        if not name.startswith("."):
            assert built.path(f"v/{name}") == f"v/{name}"
            assert built.text(f"v/{name}") == text
    assert "v/assets/main-Cd4.css" in built.text("a.html")


def test_sources_of_vite_are_found_with_what_they_need(
    tmp_path: Path, build_roots: Callable[..., Built]
) -> None:
    built = build_roots([Root(write(tmp_path / "dist", OUTPUT), "v")])
    entry = built.manifest.assets["v/src/main.ts"]
    assert entry.path == "v/assets/main-Ab3_x9.js"
    assert entry.css == ("v/assets/main-Cd4.css",)
    assert entry.imports == ("v/_shared.js",)
    document = json.loads((built.folder / "assets.json").read_bytes())
    assert document["assets"]["v/src/main.ts"]["css"] == ["v/assets/main-Cd4.css"]
    paths = json.loads((built.folder / "staticfiles.json").read_bytes())["paths"]
    assert paths["v/src/main.ts"] == "v/assets/main-Ab3_x9.js"


def test_only_what_vite_has_hashed_may_be_kept_for_ever(
    tmp_path: Path, build_roots: Callable[..., Built]
) -> None:
    manifest = {"main.ts": {"file": "main-Ab3_x9Zq.js", "css": ["plain.css"], "assets": []}}
    output = {
        ".vite/manifest.json": json.dumps(manifest),
        "main-Ab3_x9Zq.js": "1",
        "plain.css": "a{b:c}",
        "public-looks-12345678.svg": "<svg/>",
    }
    assets = build_roots([Root(write(tmp_path / "dist", output), "v")]).manifest.assets
    kept = {name for name, asset in assets.items() if asset.immutable}
    assert kept == {"v/main-Ab3_x9Zq.js", "v/main.ts"}


def test_a_manifest_that_lists_what_is_not_there_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {k: v for k, v in OUTPUT.items() if "shared" not in k})
    with pytest.raises(AssetError, match=r"it lists assets/shared-Zz\.js"):
        vite.chunks(tmp_path)


def test_the_older_place_of_the_manifest_is_known_and_a_web_app_s_is_not(tmp_path: Path) -> None:
    old = write(tmp_path / "old", {"manifest.json": json.dumps(MANIFEST)})
    app = write(tmp_path / "app", {"manifest.json": '{"name": "x", "icons": []}'})
    assert vite.is_built(old)
    assert not vite.is_built(app)
    assert not vite.is_built(tmp_path)
