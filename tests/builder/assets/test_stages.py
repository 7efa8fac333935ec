"""What tools say of files, told once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from castoff.builder.assets.draft import Draft
from castoff.builder.assets.stages import minify


def test_a_warning_of_several_files_is_told_once_with_the_name_of_the_first() -> None:
    said = {"a: b.js": ["odd: no end"], "c.js": ["odd: no end", "odd: begin"], "d.js": []}
    tools: Any = SimpleNamespace(minifier=lambda _name: object())
    cache: Any = SimpleNamespace(
        run=lambda _tool, given: SimpleNamespace(data=given.data, warnings=said[given.name])
    )
    drafts = [Draft(name, name, b"1", b"1") for name in said]
    _, warnings = minify(drafts, tools, cache, 2)
    assert warnings == ["a: b.js and 1 more: odd: no end", "c.js: odd: begin"]
