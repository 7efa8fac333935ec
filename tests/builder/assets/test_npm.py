"""Packages from npm: pinned, checked, and safe when several builds want them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.tools import node_programs, npm


def test_every_package_of_every_lock_has_an_integrity_hash_and_no_host() -> None:
    table = resources.files("castoff.builder.assets.tools").joinpath("node_locks.json")
    text = table.read_text(encoding="utf-8")
    assert "://" not in text
    for tool, packages in json.loads(text).items():
        for path, facts in packages.items():
            if path:
                assert facts["integrity"].startswith("sha512-"), (tool, path)
                assert facts["version"][0].isdigit()


def test_a_package_with_another_hash_is_refused_and_not_kept(
    tool_cache: Path, env: dict[str, str], tmp_path: Path
) -> None:
    del tool_cache  # npm is there
    pin = npm.pin("es-module-lexer")
    wrong = replace(pin, integrity="sha512-" + "A" * 86 + "==")
    with pytest.raises(AssetError, match="integrity hash differs"):
        npm.fetch(wrong, tmp_path, env)
    assert not list(tmp_path.rglob("*.tgz"))


def test_a_damaged_copy_in_the_cache_is_fetched_again(
    tool_cache: Path, env: dict[str, str], tmp_path: Path
) -> None:
    pin = npm.pin("es-module-lexer")
    good = npm.fetch(pin, tool_cache, env)
    damaged = tmp_path / "npm" / f"es-module-lexer-{pin.version}.tgz"
    damaged.parent.mkdir()
    damaged.write_bytes(b"x")
    assert npm.fetch(pin, tmp_path, env) == good


def test_without_npm_and_registry_the_message_says_what_is_needed(tmp_path: Path) -> None:
    with pytest.raises(AssetError) as caught:
        npm.fetch(npm.pin("less"), tmp_path, {"PATH": ""})
    assert "NPM_CONFIG_REGISTRY" in caught.value.hint
    with pytest.raises(AssetError, match="no npm on the PATH"):
        npm.install("terser", tmp_path, {"PATH": ""})
    with pytest.raises(AssetError, match="no node on the PATH"):
        node_programs.node({"PATH": ""})


def test_without_npm_the_configured_registry_is_asked(
    tool_cache: Path, env: dict[str, str], tmp_path: Path
) -> None:
    import http.server
    import threading

    pin = npm.pin("es-module-lexer")
    text = npm.fetch(pin, tool_cache, env)
    served = tmp_path / "served/es-module-lexer/-"
    served.mkdir(parents=True)
    tarball = tool_cache / "npm" / f"es-module-lexer-{pin.version}.tgz"
    (served / tarball.name).write_bytes(tarball.read_bytes())

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(tmp_path / "served"))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        registry = f"http://127.0.0.1:{server.server_port}/"
        asked = {"PATH": "", "NPM_CONFIG_REGISTRY": registry}
        assert npm.fetch(pin, tmp_path / "cache", asked) == text
        with pytest.raises(AssetError, match=r"less-.*\.tgz: HTTP Error 404"):
            npm.fetch(npm.pin("less"), tmp_path / "cache", asked)
        server.shutdown()


def test_builds_may_install_one_tool_at_once(
    tool_cache: Path, env: dict[str, str], tmp_path: Path
) -> None:
    del tool_cache
    with ThreadPoolExecutor(2) as threads:
        folders = list(threads.map(lambda _: npm.install("uglify-js", tmp_path, env), range(2)))
    assert folders[0] == folders[1]
    assert (folders[0] / "node_modules/uglify-js/package.json").is_file()
    assert [path.name for path in (tmp_path / "node").iterdir()] == [folders[0].name]


def test_programs_of_node_see_no_secrets() -> None:
    env = {"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x", "NODE_OPTIONS": "x", "npm_config_x": "y"}
    assert node_programs.clean_environment({**env, "PATH": "/usr/bin:/bin"}).keys() >= {
        "PATH",
        "npm_config_x",
        "CI",
    }
    assert "AWS_SECRET_ACCESS_KEY" not in node_programs.clean_environment(env)
    assert "NODE_OPTIONS" not in node_programs.clean_environment(env)
