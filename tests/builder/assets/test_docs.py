"""What the documentation shows is run here."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import get_args, get_type_hints

from castoff.builder.assets import settings
from castoff.builder.assets.settings import AssetSettings
from support.asset_builds import Build

_DOCS = Path(__file__).parents[3] / "docs"


def test_the_reader_for_templates_gives_urls_and_digests(build: Build) -> None:
    page = (_DOCS / "how-to/assets.md").read_text(encoding="utf-8")
    (program,) = re.findall(r"```python\n(# static\.py\n.*?)```", page, re.DOTALL)
    built = build({"css/app.css": "a{b:c}"})
    program = program.replace("/srv/shop/current/static", str(built.folder))
    names: dict[str, object] = {}
    exec(compile(program, "static.py", "exec"), names)  # noqa: S102 - our own page
    ask = names["asset"]
    assert callable(ask)
    assert ask("css/app.css") == built.manifest.url("css/app.css")
    assert ask("css/app.css", "integrity") == built.manifest.assets["css/app.css"].integrity


def test_every_setting_and_every_choice_is_documented() -> None:
    page = (_DOCS / "reference/assets.md").read_text(encoding="utf-8")
    hints = get_type_hints(AssetSettings, vars(settings))
    for field in fields(AssetSettings):
        assert f"| `{field.name}` |" in page, field.name
        for choice in get_args(hints[field.name]):
            if isinstance(choice, str):
                assert f"`{choice}`" in page, choice


def test_the_example_of_the_manifest_has_the_keys_of_a_real_one(build: Build) -> None:
    page = (_DOCS / "reference/assets.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    files = {"css/app.css": "a { color: red }\n" * 9}
    built = build(files, AssetSettings(minify_css="none"))
    real = json.loads((built.folder / "assets.json").read_bytes())
    shown = json.loads(example)
    assert shown.keys() == real.keys()
    entry = shown["assets"]["css/app.css"]
    assert entry.keys() == real["assets"]["css/app.css"].keys()
    assert entry["encodings"].keys() == real["assets"]["css/app.css"]["encodings"].keys()
