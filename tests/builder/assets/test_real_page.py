"""Packages that everybody uses, built and then rendered in a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from castoff.builder.assets.pipeline import build_assets
from castoff.builder.assets.settings import AssetSettings, Root
from castoff.store.digest import sha256
from support import chromium, pictures
from support.asset_builds import PLAIN, Built, Tree, write

PACKAGES = {
    "@fortawesome/fontawesome-free": "7.3.1",
    "bootstrap": "5.3.9",
    "bootstrap3": "npm:bootstrap@3.4.1",
    "d3": "7.9.2",
    "jquery": "4.0.0",
    "lodash": "4.18.1",
}

# Every kind of reference, each with an effect that the page can measure.
PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>A real page</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="css/app.css">
  <link rel="stylesheet" href="css/old.css" media="print">
  <link rel="stylesheet" href="vendor/fontawesome/css/all.css">
  <script type="importmap">{"imports":
    {"greeting": "./js/greeting.js", "folder/": "./js/mapped/"}}</script>
  <script src="vendor/jquery.js" integrity="sha384-of-the-source"></script>
  <script src="vendor/lodash.js"></script>
  <script src="vendor/d3.js"></script>
</head>
<body>
  <nav class="navbar navbar-expand bg-primary"><a class="navbar-brand" href="#">Shop</a></nav>
  <main class="container">
    <div class="row"><div class="col-6 card"><div class="card-body">One</div></div>
      <div class="col-6"><button class="btn btn-success">Buy</button></div></div>
    <i class="fa-solid fa-house"></i>
    <img id="plain" src="img/a.png" alt="">
    <img id="set" src="img/a.png" srcset="img/b.png 1x, img/c.png 2x" alt="">
    <svg width="8" height="8"><use href="img/sprite.svg#home"></use></svg>
    <p class="pictured">Text</p>
  </main>
  <script type="module" src="js/main.js"></script>
</body>
</html>
"""

MAIN = """
import { greet } from "greeting";
import { three } from "folder/three.js";
import { one } from "./cycle-a.js";
export * from "./greeting.js";

const lazy = await import("./lazy.js");
const picture = new URL("../img/a.png", import.meta.url);
const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const answer = await new Promise(resolve => {
  worker.onmessage = event => resolve(event.data);
  worker.onerror = event => resolve("the worker failed: " + event.message);
  worker.postMessage(20);
});
if (document.readyState !== "complete") {
  await new Promise(resolve => addEventListener("load", resolve));
}
const font = (await document.fonts.load("900 16px 'Font Awesome 7 Free'", "\\uf015")).length;
const styles = [...document.querySelectorAll("body *:not(script)")].map(element => {
  const computed = getComputedStyle(element);
  // Custom properties are text, which minifiers spell as they like; what uses them counts.
  const names = [...computed].filter(name => !name.startsWith("--"));
  return element.tagName + " " + names.map(
    name => name + ":" + computed.getPropertyValue(name)).join(";");
});
const report = JSON.stringify({
  greeting: greet("world"),
  cycle: one(),
  mapped: three,
  lazy: lazy.value,
  picture: (await fetch(picture)).status,
  answer,
  font,
  jquery: jQuery("main .row > div").length,
  lodash: _.chunk(_.range(10), 3).length,
  d3: d3.scaleLinear().domain([0, 10]).range([0, 100])(5),
  plain: document.getElementById("plain").naturalWidth,
  set: document.getElementById("set").naturalWidth,
  background: getComputedStyle(document.querySelector(".pictured")).backgroundImage,
  styles,
});
await fetch("/report", { method: "POST", body: report });
"""

OWN: Tree = {
    "index.html": PAGE,
    "css/app.scss": (
        '@import "bootstrap/scss/bootstrap";\n'
        '.pictured { background-image: url("../img/a b.png"); &::after { content: "url(x.png)" } }'
    ),
    "css/old.less": '@import "bootstrap3/less/bootstrap.less";\n@icon-font-path: "../fonts/";\n',
    "js/main.js": MAIN,
    "js/greeting.js": "// import './nothing.js'\nexport const greet = name => `Hello, ${name}`;\n",
    "js/cycle-a.js": "import { two } from './cycle-b.js';\nexport const one = () => two() - 1;\n",
    "js/cycle-b.js": "import { one } from './cycle-a.js';\nexport const two = () => one ? 2 : 0;\n",
    "js/mapped/three.js": "export const three = 3;\n",
    "js/lazy.js": "export const value = 'import(\"./no.js\")';\n",
    "js/worker.js": (
        "import { twice } from './twice.js';\nonmessage = event => postMessage(twice(event.data));"
    ),
    "js/twice.js": "export const twice = number => 2 * number;\n",
    "img/a.png": pictures.png(),
    "img/b.png": pictures.png("L"),
    "img/c.png": pictures.png("1"),
    "img/a b.png": pictures.png("P"),
    "img/sprite.svg": (
        '<svg xmlns="http://www.w3.org/2000/svg"><symbol id="home" viewBox="0 0 8 8">'
        '<path d="M 0 0 h 8 v 8 z"/></symbol></svg>'
    ),
}


@pytest.fixture(scope="session")
def packages(request: pytest.FixtureRequest, tool_cache: Path) -> Path:
    """The packages' `node_modules`, installed once and kept; several workers may want it."""
    del tool_cache  # npm is there
    assert request.config.cache is not None
    wanted = json.dumps({"private": True, "dependencies": PACKAGES})
    parent = request.config.cache.mkdir("castoff-packages")
    folder = parent / sha256(wanted.encode())
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=parent) as temporary:
            made = write(Path(temporary) / "made", {"package.json": wanted})
            arguments = ("install", "--ignore-scripts", "--no-audit", "--no-fund")
            subprocess.run(["npm", *arguments], cwd=made, check=True, capture_output=True)
            with suppress(OSError):  # another worker was first
                made.rename(folder)
    return folder / "node_modules"


@pytest.fixture
def project(tmp_path: Path, packages: Path) -> list[Root]:
    own = write(tmp_path / "own", OWN)
    vendor = tmp_path / "vendor"
    awesome = packages / "@fortawesome/fontawesome-free"
    shutil.copytree(awesome / "webfonts", vendor / "fontawesome/webfonts")
    (vendor / "fontawesome/css").mkdir()
    shutil.copy(awesome / "css/all.css", vendor / "fontawesome/css")
    shutil.copytree(packages / "bootstrap3/fonts", own / "fonts")
    for file in ("jquery/dist/jquery.js", "lodash/lodash.js", "d3/dist/d3.js"):
        shutil.copy(packages / file, vendor)
    return [Root(own), Root(vendor, "vendor")]


def seen(site: chromium.Site) -> dict[str, Any]:
    report, console = chromium.visit(site, "index.html")
    assert console == []
    assert site.missing == []
    assert report, f"the page's script did not run to its end; it asked for {site.asked}"
    result: dict[str, Any] = json.loads(report)
    return result


def as_numbers(style: str) -> str:
    """A computed style without file names, ports, and the last digits of numbers."""
    style = re.sub(r"http://[^\s\")]*", "URL", style)
    return re.sub(r"-?\d*\.\d+(e-?\d+)?", lambda match: f"{float(match[0]):.2f}", style)


@pytest.mark.skipif(chromium.program() is None, reason="needs Chromium")
@pytest.mark.parametrize(
    "settings",
    [
        AssetSettings(base_url="/"),
        pytest.param(
            AssetSettings(base_url="/", minify_js="esbuild", minify_css="esbuild"),
            marks=pytest.mark.sweep,
        ),
        pytest.param(
            AssetSettings(base_url="/", minify_js="terser", minify_css="minify-go"),
            marks=pytest.mark.sweep,
        ),
        pytest.param(
            AssetSettings(
                base_url="/", minify_js="swc", sass="sass", less="less", minify_svg="svgo"
            ),
            marks=pytest.mark.sweep,
        ),
    ],
    ids=["default", "esbuild", "terser", "swc"],
)
def test_a_real_page_shows_and_does_the_same_as_before(
    tmp_path: Path,
    cache: Path,
    env: dict[str, str],
    packages: Path,
    project: list[Root],
    settings: AssetSettings,
) -> None:
    results = []
    for name, chosen in (("plain", replace(PLAIN, base_url="/")), ("built", settings)):
        target = tmp_path / name
        built = Built(
            build_assets(
                project, target, replace(chosen, load_paths=(packages,)), cache=cache, env=env
            ),
            target,
        )
        with chromium.serve(target) as site:
            results.append(seen(site))
        for asset in (path for path in site.asked if path not in ("/index.html", "/favicon.ico")):
            assert re.search(r"\.[0-9a-f]{16}\.", asset), asset
    plain, minified = results
    before, after = plain.pop("styles"), minified.pop("styles")
    assert plain.pop("background").startswith('url("http')
    assert minified.pop("background").startswith('url("http')
    assert (
        minified
        == plain
        == {
            "greeting": "Hello, world",
            "cycle": 1,
            "mapped": 3,
            "lazy": 'import("./no.js")',
            "picture": 200,
            "answer": 40,
            "font": 1,
            "jquery": 2,
            "lodash": 4,
            "d3": 50,
            "plain": 48,
            "set": 48,
        }
    )
    assert len(before) == 14
    for one, other in zip(before, after, strict=True):
        assert as_numbers(other).split(";") == as_numbers(one).split(";")
    assert built.manifest.assets["vendor/d3.js"].encodings["br"].size < 100_000
