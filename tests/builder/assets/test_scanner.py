from __future__ import annotations

from pathlib import Path

import pytest

from castoff.builder.assets.cache import Cache
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.references import scanner
from castoff.builder.assets.references.scan import scan
from castoff.builder.assets.references.scanner import Scanner
from castoff.builder.assets.tools.lexer import Lexer
from castoff.builder.cache import Cache as EntryCache

# Each way of writing a URL, and each need.
FILES = {
    "a.css": 'a { b: url(x\\ y.png), url("\\"z.png") }\r\n/*# sourceMappingURL=a.map */',
    "a.js": "import './b.js'; import(\"./c.js\"); import(`./d.js`);\n//# sourceMappingURL=e.map",
    "odd.js": "import './\\ud800\\u2028.js'",
    "a.HTML": "<base href=/x/><a href=b.html style=\"c: url('d.png')\"></a>"
    "<script src=e.js integrity=sha256-x></script>",
    "a.webmanifest": '{"icons": [{"src": "i.png"}]}',
    "a.svg": "<svg><image href='&amp;.png'/></svg>",
    "bom.css": "\ufeffa { b: url(c.png) }",
    "plain.txt": "url(a.png)",
    "none.css": "a { b: c }",
}


def test_what_is_kept_is_what_was_found(
    tmp_path: Path, lexer: Lexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = Cache(EntryCache(tmp_path))
    wanted = {name: scan(name, text.encode(), lexer) for name, text in FILES.items()}
    assert {len(found) for _, found in wanted.values()} == {0, 1, 3, 4}

    def found() -> dict[str, object]:
        fresh = Scanner(lexer, results)
        return {name: fresh.references(name, text.encode()) for name, text in FILES.items()}

    assert found() == wanted

    def refuse(*_: object) -> None:
        raise AssertionError("it was read again")

    monkeypatch.setattr(scanner, "scan", refuse)
    assert found() == wanted
    with pytest.raises(AssertionError):
        Scanner(lexer, results).references("other.css", b"a { b: url(d.png) }")


def test_what_cannot_be_read_is_told_each_time_by_its_own_name(
    tmp_path: Path, lexer: Lexer
) -> None:
    results = Cache(EntryCache(tmp_path))
    for name in ("a.js", "b.js"):
        with pytest.raises(AssetError, match=f"{name}:2:"):
            Scanner(lexer, results).references(name, b"\nimport (")
