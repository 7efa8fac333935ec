from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.names import hashed, integrity
from castoff.builder.assets.settings import AssetSettings
from castoff.store.digest import sha256
from support.asset_builds import PLAIN, Build, Tree

HASHED = r"[0-9a-f]{16}"


def test_a_name_holds_the_digest_of_the_bytes_that_are_served(build: Build) -> None:
    built = build({"css/a.css": "a{b:url(../i.png)}", "i.png": b"png", "x.tar.gz": b"z"})
    for name, asset in built.manifest.assets.items():
        digest = sha256(built.data(name))
        assert asset.path == hashed(name, digest)
        assert asset.sha256 == digest
        assert asset.integrity == integrity(built.data(name))
    assert re.fullmatch(rf"x\.tar\.{HASHED}\.gz", built.path("x.tar.gz"))


def test_references_follow_the_names(build: Build) -> None:
    built = build({"css/a.css": "a{b:url('../i.png?v=1#x')}", "i.png": b"png"})
    assert built.text("css/a.css") == f'a{{b:url("../{built.path("i.png")}?v=1#x")}}'


def test_a_change_reaches_all_that_refer_to_it_and_nothing_else(build: Build) -> None:
    files: Tree = {
        "a.css": "@import 'b.css';",
        "b.css": "a{b:url(i.png)}",
        "c.css": "a{b:c}",
        "i.png": b"1",
    }
    one = build(files)
    two = build({**files, "i.png": b"2"})
    changed = {name for name in files if one.path(name) != two.path(name)}
    assert changed == {"a.css", "b.css", "i.png"}


def test_a_cycle_is_named_as_one_group(build: Build) -> None:
    files = {
        "a.js": "import './b.js'; export const a = 1;",
        "b.js": "import './c.js'; export const b = 1;",
        "c.js": "import './a.js'; import './d.js'; export const c = 1;",
        "d.js": "export const d = 1;",
        "e.js": "import './a.js';",
        "s.js": "import './s.js';",
    }
    one = build(files)
    for name, target in (("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("e", "a"), ("s", "s")):
        assert one.path(f"{target}.js") in one.text(f"{name}.js")
    two = build({**files, "b.js": files["b.js"] + "//"})
    changed = {name for name in files if one.path(name) != two.path(name)}
    assert changed == {"a.js", "b.js", "c.js", "e.js"}
    three = build({**files, "d.js": files["d.js"] + "//"})
    changed = {name for name in files if one.path(name) != three.path(name)}
    assert changed == {"a.js", "b.js", "c.js", "d.js", "e.js"}


def test_stylesheets_may_import_each_other(build: Build) -> None:
    built = build({"a.css": "@import 'b.css';", "b.css": "@import 'a.css';"})
    assert built.path("a.css") in built.text("b.css")
    assert built.path("b.css") in built.text("a.css")


def test_unhashed_files_keep_their_names_and_point_to_hashed_ones(build: Build) -> None:
    built = build(
        {
            "index.html": "<script src=js/a.js></script>",
            "js/a.js": "import './sw.js'; fetch('/')",
            "js/sw.js": "importScripts('lib.js')",
            "js/lib.js": "1",
            "robots.txt": "x",
        }
    )
    assert {n for n in built.manifest.assets if built.path(n) == n} == {
        "index.html",
        "js/sw.js",
        "robots.txt",
    }
    assert built.path("js/a.js") in built.text("index.html")
    assert "'./sw.js'" in built.text("js/a.js")
    assert built.path("js/lib.js").rpartition("/")[2] in built.text("js/sw.js")


def test_pages_and_scripts_may_refer_to_each_other(build: Build) -> None:
    built = build(
        {
            "index.html": "<script type=module src=a.js></script>",
            "a.js": "new URL('index.html', import.meta.url)",
        }
    )
    assert built.path("a.js") in built.text("index.html")
    assert built.text("a.js") == "new URL('index.html', import.meta.url)"


def test_absolute_urls_below_the_base_are_rewritten_and_foreign_ones_are_not(build: Build) -> None:
    text = "a{b:url(/static/i.png) url(/media/i.png) url(//x.example/i.png) url(data:,i.png)}"
    built = build({"a.css": text, "i.png": b"1"})
    assert built.text("a.css") == text.replace("/static/i.png", f"/static/{built.path('i.png')}")


def test_a_cdn_as_the_base_is_known(build: Build) -> None:
    settings = replace(PLAIN, base_url="https://cdn.example/s/")
    built = build(
        {"a.css": "a{b:url(https://cdn.example/s/i.png) url(i.png)}", "i.png": b"1"}, settings
    )
    assert built.text("a.css").count(built.path("i.png")) == 2
    assert built.manifest.url("i.png") == f"https://cdn.example/s/{built.path('i.png')}"


def test_pages_of_another_host_name_assets_by_whole_urls_and_each_other_as_written(
    build: Build,
) -> None:
    cdn = "https://cdn.example/s/"
    built = build(
        {
            "deep/index.html": "<link rel=stylesheet href=../a.css?v=1><a href=more.html>x</a>",
            "deep/more.html": "<p>x",
            "a.css": "a{b:url(i.png)}",
            "i.png": b"png",
        },
        replace(PLAIN, base_url=cdn),
    )
    text = built.text("deep/index.html")
    assert f"href={cdn}{built.path('a.css')}?v=1" in text
    assert "href=more.html" in text
    assert built.text("a.css") == f"a{{b:url({built.path('i.png')})}}", "they lie together"


def test_all_missing_files_are_told_with_file_and_line(build: Build) -> None:
    with pytest.raises(AssetError) as caught:
        build(
            {
                "css/a.css": "/* x */\na{b:url(../no.png)}\n",
                "js/b.js": "import './c.js';\nimport './nope.js';\n",
                "js/c.js": "",
            }
        )
    error = caught.value
    assert (error.file, error.line) == ("css/a.css", 2)
    assert error.message.splitlines() == [
        "css/a.css:2: it names ../no.png, and there is no no.png",
        "js/b.js:2: it names ./nope.js, and there is no js/nope.js",
    ]


def test_the_line_is_that_of_the_source_though_the_file_is_minified(build: Build) -> None:
    settings = AssetSettings(encodings=())
    with pytest.raises(AssetError, match=r"^a\.css:4: it names no\.png"):
        build({"a.css": "\n\n\na { b: url(no.png) }\n"}, settings)
    with pytest.raises(
        AssetError, match=r"^b\.scss:3: it names no\.png in b\.css, which is made of it, and"
    ):
        build({"b.scss": "$a: 1;\na { c: d }\na { b: url(no.png) }\n"}, settings)


def test_a_missing_source_map_is_a_warning(build: Build) -> None:
    built = build({"a.js": "a()\n//# sourceMappingURL=a.js.map"})
    assert built.manifest.warnings == ("a.js: its source map a.js.map is missing",)


def test_a_source_map_is_renamed_with_its_file(build: Build) -> None:
    built = build({"a.js": "a()\n//# sourceMappingURL=a.js.map", "a.js.map": "{}"})
    assert re.fullmatch(rf"a\.js\.{HASHED}\.map", built.path("a.js.map"))
    assert built.text("a.js").endswith(built.path("a.js.map"))


def test_a_link_to_a_page_of_the_application_may_lead_nowhere(build: Build) -> None:
    settings = replace(PLAIN, base_url="/")
    text = '<a href="/about">x</a><link rel=canonical href="/x">'
    assert build({"index.html": text}, settings).text("index.html") == text


def test_the_digest_of_a_file_follows_its_bytes(build: Build) -> None:
    page = '<script src="a.js" integrity="sha384-old"></script><link rel=x href=/y integrity=z>'
    built = build({"index.html": page, "a.js": "a( 1 )"}, AssetSettings(encodings=()))
    assert built.manifest.assets["a.js"].integrity in built.text("index.html")
    assert "sha384-old" not in built.text("index.html")
    assert "integrity=" in built.text("index.html").partition("/y")[2]


def test_a_cycle_may_hold_a_digest(build: Build) -> None:
    built = build(
        {
            "a.html": '<script src="b.js" integrity="x"></script>',
            "b.js": "new URL('a.html', import.meta.url)",
        },
        replace(PLAIN, unhashed=()),
    )
    assert integrity(built.data("b.js")) in built.text("a.html")
    assert built.path("a.html") in built.text("b.js")


def test_digests_of_each_other_are_refused(build: Build) -> None:
    with pytest.raises(AssetError, match="refers back to it"):
        build(
            {
                "a.html": '<link href="b.html" integrity="x">',
                "b.html": '<link href="a.html" integrity="x">',
            }
        )


def test_names_that_hold_their_digest_already_are_kept(build: Build, tmp_path: Path) -> None:
    first = build({"a.css": "a { b: url(i.png) }", "i.png": b"1"})
    again = {name: data for name, data in first.files().items() if not name.endswith(".json")}
    second = build(again, AssetSettings(encodings=()), folder=tmp_path / "again")
    assert {name: asset.path for name, asset in second.manifest.assets.items()} == {
        name: name for name in again
    }
    assert {n: d for n, d in second.files().items() if not n.endswith(".json")} == again


def test_files_that_are_not_utf_8_are_told(build: Build) -> None:
    with pytest.raises(AssetError, match=r"^a\.css:1: this text is not UTF-8"):
        build({"a.css": b"/* \xe9 */"})


def test_a_byte_order_mark_does_not_hurt(build: Build) -> None:
    built = build({"a.css": b"\xef\xbb\xbfa{b:url(i.png)}", "i.png": b"1"})
    assert built.text("a.css") == f"a{{b:url({built.path('i.png')})}}"
