"""Sass and Less, with imports, load paths and what the cache may and may not remember."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from castoff.builder.assets import stylesheets
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.pipeline import build_assets
from castoff.builder.assets.settings import AssetSettings, Root
from castoff.builder.assets.tools.load_paths import LoadPaths
from support.asset_builds import PLAIN, Build, Built, write


def test_partials_and_load_paths_are_found(build: Build, tmp_path: Path) -> None:
    vendor = write(
        tmp_path / "vendor",
        {"lib/_index.scss": "$c: red;", "less/lib.less": "@d: blue;", "less/p.css": "p{q:r}"},
    )
    built = build(
        {
            "a/_part.scss": ".part { color: lib.$c }\n",
            "a/main.scss": '@use "lib";\n.main { color: lib.$c }\n',
            "b/main.less": (
                '@import "less/lib";\n@import (inline) "less/p.css";\n@import "./own";\n'
            ),
            "b/own.less": ".own { color: @d }\n@d: green;\n",
        },
        replace(PLAIN, load_paths=(vendor,), exclude=("own.less",)),
    )
    assert set(built.manifest.assets) == {"a/main.css", "b/main.css"}
    assert "color: red" in built.text("a/main.css")
    assert "p{q:r}" in built.text("b/main.css")
    assert ".own {\n  color: green;" in built.text("b/main.css")


def test_the_indented_syntax_compiles(build: Build) -> None:
    assert "color: red" in build({"a.sass": ".a\n  color: red\n"}).text("a.css")


@pytest.mark.parametrize(
    ("name", "other"), [("a.scss", "_b.scss"), ("a.less", "b.less"), ("a.less", "b.css")]
)
def test_a_changed_import_is_compiled_anew(
    build: Build, tmp_path: Path, name: str, other: str
) -> None:
    folder = tmp_path / "project"
    main = "@import (inline) 'b.css';" if other.endswith(".css") else "@import 'b';"
    settings = replace(PLAIN, exclude=("b.*",))
    first = build({name: main, other: ".b{c:one}"}, settings, folder=folder)
    second = build({other: ".b{c:two}"}, settings, folder=folder)
    assert "one" in first.text("a.css")
    assert "two" in second.text("a.css")


def test_a_file_that_takes_another_s_place_counts(build: Build, tmp_path: Path) -> None:
    vendor = write(tmp_path / "vendor", {"_b.scss": ".b{c:vendor}"})
    settings = replace(PLAIN, load_paths=(vendor,))
    folder = tmp_path / "project"
    assert "vendor" in build({"a.scss": "@import 'b';"}, settings, folder=folder).text("a.css")
    second = build({"_b.scss": ".b{c:own}"}, settings, folder=folder)
    assert "own" in second.text("a.css")


def test_an_error_in_an_import_names_that_file(build: Build) -> None:
    with pytest.raises(AssetError) as caught:
        build({"a/main.scss": "@use 'b';", "a/_b.scss": "\n.b { c: $d }"})
    assert (caught.value.file, caught.value.line, caught.value.column) == ("a/_b.scss", 2, 9)
    with pytest.raises(AssetError, match=r"^x/c\.less:2:9: variable @d is undefined"):
        build(
            {"x/a.less": "@import 'c';", "x/c.less": "\n.b { c: @d }"},
            replace(PLAIN, exclude=("c.less",)),
        )


def test_a_missing_import_is_told_with_its_line(build: Build) -> None:
    with pytest.raises(AssetError, match=r"^a\.less:2:1: 'nope' wasn't found"):
        build({"a.less": "\n@import 'nope';"})
    with pytest.raises(AssetError, match=r"^a\.scss:2:1: Can't find stylesheet"):
        build({"a.scss": "\n@use 'nope';"})


@pytest.mark.parametrize(
    ("ending", "tools"),
    [
        ("scss", PLAIN),
        ("less", PLAIN),
        ("scss", replace(PLAIN, sass="sass")),
        ("less", replace(PLAIN, less="less")),
    ],
)
def test_a_missing_picture_is_told_with_the_file_and_line_that_names_it(
    build: Build, ending: str, tools: AssetSettings
) -> None:
    part = "// one\n// two\n.p { q: r }\n.p {\n  background: url(no.png);\n}\n"
    main = "@import 'part';\n// é\n.m {\n  .n { a: b; b: url('no.png') }\n}\n.o{c:url(2.png)}\n"
    files = {f"x/_part.{ending}": part, f"x/main.{ending}": main}
    settings = replace(tools, exclude=("_part.less",))
    if ending == "less":
        files[f"x/main.{ending}"] = main.replace("'part'", "'_part'")
    with pytest.raises(AssetError) as caught:
        build(files, settings)
    made = "in x/main.css, which is made of it, and there is no x"
    assert caught.value.message.splitlines() == [
        f"x/_part.{ending}:5: it names no.png {made}/no.png",
        f"x/main.{ending}:4: it names no.png {made}/no.png",
        f"x/main.{ending}:6: it names 2.png {made}/2.png",
    ]
    assert (caught.value.file, caught.value.line) == (f"x/_part.{ending}", 5)


def test_math_is_less_s_own_option(build: Build) -> None:
    files = {"a.less": ".a { b: 10px / 2 }"}
    assert "b: 10px / 2" in build(files).text("a.css")
    assert "b: 5px" in build(files, replace(PLAIN, less_math="always")).text("a.css")


def test_less_embeds_pictures_in_v8_as_in_node(build: Build) -> None:
    text = ".a { b: data-uri('i.png'); c: data-uri('s.svg'); d: data-uri('no.png') }"
    files: dict[str, str | bytes] = {
        "a.less": text,
        "i.png": b"\x89PNG\xff\x00",
        "s.svg": "<svg>é</svg>",
    }
    settings = replace(PLAIN, exclude=("*.svg",))
    with pytest.raises(AssetError, match=r"there is no no\.png"):
        build(files, settings)
    files["a.less"] = text.replace("d: data-uri('no.png')", "")
    inside = build(files, settings).text("a.css")
    assert 'url("data:image/png;base64,iVBOR/8A")' in inside
    assert build(files, replace(settings, less="less")).text("a.css") == inside


def test_warnings_of_the_author_are_passed_on_and_deprecations_are_not(build: Build) -> None:
    built = build({"a.scss": "@warn 'look';\n@import 'b';\n", "_b.scss": ".b{c:d}"})
    assert built.manifest.warnings == ("a.scss: look",)


def test_a_file_of_mixins_alone_becomes_an_empty_stylesheet(build: Build) -> None:
    mixins = "@mixin m { a: b; c: d; e: f; g: h; i: j; k: l; m: n; o: p; q: r; s: t; u: v; w: x }"
    assert build({"a.scss": mixins, "b.less": ".m() { a: b }"}).text("a.css") == ""


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("a.scss", "shared/_v.scss"),
        ("a.scss", "node_modules/kit/_v.scss"),
        ("a.less", "shared/v.less"),
        ("a.less", ".vendor/v.less"),
    ],
)
def test_an_import_outside_the_roots_is_compiled_anew_too(
    tmp_path: Path, cache: Path, env: dict[str, str], name: str, other: str
) -> None:
    project = tmp_path / "project"
    write(project, {f"static/{name}": f"@import '../{other}';"})
    told = []
    for number, content in enumerate((".v{c:one}", ".v{c:two}")):
        write(project, {other: content})
        target = tmp_path / f"built{number}"
        manifest = build_assets(
            [Root(project / "static")],
            target,
            PLAIN,
            cache=cache,
            env=env,
            project=project,
        )
        told.append(Built(manifest, target).text("a.css"))
    assert "one" in told[0]
    assert "two" in told[1]


def test_a_root_elsewhere_in_the_project_makes_another_digest(tmp_path: Path) -> None:
    """The same file at another depth imports another file by the same `../v`."""
    write(tmp_path, {"a/x.scss": "b{c:d}", "c/a/x.scss": "b{c:d}"})
    of = {
        place: stylesheets.digest(LoadPaths((tmp_path / place,), tmp_path), all_files=False)
        for place in ("a", "c/a")
    }
    assert of["a"] != of["c/a"]


def test_a_link_to_another_folder_makes_another_digest(tmp_path: Path) -> None:
    write(tmp_path, {"one/v.scss": "b{c:d}", "two/v.scss": "e{f:g}"})
    found = set()
    for target in ("one", "two"):
        (tmp_path / "v").unlink(missing_ok=True)
        (tmp_path / "v").symlink_to(target)
        found.add(stylesheets.digest(LoadPaths((), tmp_path), all_files=False))
    assert len(found) == 2
