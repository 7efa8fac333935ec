"""Minification inside the pipeline: what is tried, what is kept, and what is told."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from unittest.mock import patch

import pytest

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.settings import AssetSettings
from castoff.builder.assets.tool import Input
from castoff.builder.assets.tools import extra
from castoff.builder.assets.tools.minify_go import MinifyGo
from castoff.config.asset_choices import CssMinifier, JsMinifier
from support.asset_builds import Build, Tree

DEFAULT = AssetSettings(encodings=())


def test_every_kind_of_text_gets_smaller(build: Build) -> None:
    files = {
        "a.css": "a {\n  color: red;\n}\n",
        "a.js": "function f(long) {\n  return long;\n}\n",
        "a.mjs": "export const a = 1;\n\n\nexport const b = a + 1;\n",
        "a.html": "<p>\n\n  a\n\n</p>\n",
        "a.svg": '<svg xmlns="http://www.w3.org/2000/svg">\n\n<path d="M 0 0 L 9 9"/>\n</svg>\n',
    }
    built = build(files, DEFAULT)
    for name, text in files.items():
        assert len(built.data(name)) < len(text), name


def test_what_its_authors_minified_is_left_as_it_is(build: Build) -> None:
    files = {"a.min.js": "function f( long ) { return long }", "a.min.css": "a { b: c }"}
    built = build(files, DEFAULT)
    assert {name: built.text(name) for name in files} == files


def test_a_longer_result_is_not_taken(build: Build) -> None:
    assert build({"a.css": "a{b:c}"}, DEFAULT).text("a.css") == "a{b:c}"


def test_css_that_the_strict_tool_refuses_is_minified_by_the_other_with_a_warning(
    build: Build,
) -> None:
    built = build({"old.css": "a { *zoom: 1;\n  filter: alpha(opacity=50)\n}\n"}, DEFAULT)
    assert built.text("old.css") == "a{*zoom:1;filter:alpha(opacity=50)}"
    (warning,) = built.manifest.warnings
    assert warning.startswith("old.css: lightningcss refused it (1:")
    assert "minified by minify-go" in warning


def test_the_warning_comes_again_from_the_cache(build: Build) -> None:
    files = {"old.css": "a { *zoom: 1 }"}
    first, second = build(files, DEFAULT), build(files, DEFAULT)
    assert first.manifest.warnings == second.manifest.warnings != ()


def test_import_attributes_fall_back_with_a_warning(build: Build) -> None:
    text = "import data from './d.json' with { type: 'json' };\nconsole.log( data );\n"
    built = build({"a.js": text, "d.json": "{}"}, DEFAULT)
    assert built.path("d.json") in built.text("a.js")
    assert "with{type:'json'}" in built.text("a.js")
    (warning,) = built.manifest.warnings
    assert "minified by rjsmin" in warning


def test_a_broken_module_does_not_slip_through_the_fallback(build: Build) -> None:
    text = "import data from './d.json' with { type: 'json' };\nconst x = ;\n"
    with pytest.raises(AssetError, match=r"^a\.js:"):
        build({"a.js": text, "d.json": "{}"}, DEFAULT)


@pytest.mark.parametrize("choice", ["esbuild", "swc", "terser", "uglify-js", "closure"])
def test_a_named_tool_is_used_and_recorded(build: Build, choice: JsMinifier) -> None:
    built = build({"a.js": "var a = 1;\n\nvar b = 2;"}, AssetSettings(minify_js=choice))
    assert any(choice in name for name in built.manifest.tools)
    # What it drops exports of goes to the default minifier.
    assert ("minify-go" in built.manifest.tools) == (choice == "closure")
    assert len(built.data("a.js")) < 25


@pytest.mark.parametrize("choice", ["lightningcss", "minify-go", "esbuild"])
def test_a_space_in_a_url_survives(build: Build, choice: CssMinifier) -> None:
    files: Tree = {"a.css": 'a { b: url("i j.bmp") }', "i j.bmp": b"1"}
    built = build(files, AssetSettings(minify_css=choice, encodings=()))
    assert built.path("i j.bmp") in built.text("a.css").replace("\\", "")


def test_empty_files_are_assets_too(build: Build) -> None:
    built = build({"a.js": "", "b.css": "\n", "c.svg": "", "d.png": b""}, DEFAULT)
    assert {name: built.data(name) for name in ("a.js", "c.svg", "d.png")} == {
        "a.js": b"",
        "c.svg": b"",
        "d.png": b"",
    }


def test_the_library_is_configured_once_for_it_forgets_its_minifiers_meanwhile() -> None:
    """Else another thread's file is refused now and then, and a build differs from the next."""
    page, script = b"<p>  a  </p>\n", b"function greet(longName) {\n    alert(longName);\n}\n"

    def minified(number: int) -> bytes:
        if number % 2:
            return MinifyGo("text/html").run(Input("a.html", page)).data
        return MinifyGo("application/javascript").run(Input("a.js", script)).data

    with ThreadPoolExecutor(4) as threads:
        results = Counter(threads.map(minified, range(1000)))

    assert results == {b"<p>a</p>": 500, b"function greet(e){alert(e)}": 500}
    tool = extra.load("minify", "minify-go")
    with patch.object(tool, "config") as configure:
        MinifyGo("text/css")
    configure.assert_not_called()
