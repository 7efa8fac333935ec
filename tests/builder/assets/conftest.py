"""Builds of small projects, with tools that are fetched once and kept between runs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from castoff.builder.assets.pipeline import build_assets
from castoff.builder.assets.settings import AssetSettings, Root
from castoff.builder.assets.tools.lexer import Lexer
from support.asset_builds import PLAIN, Build, Built, Tree, write


@pytest.fixture(scope="session")
def env() -> dict[str, str]:
    return dict(os.environ)


@pytest.fixture(scope="session")
def tool_cache(request: pytest.FixtureRequest) -> Path:
    """A cache that outlives the run, for what comes from npm."""
    if shutil.which("npm") is None:
        pytest.skip("needs npm, to fetch es-module-lexer and less.js")
    assert request.config.cache is not None
    folder = request.config.cache.mkdir("castoff-assets")
    for part in ("npm", "node"):
        (folder / part).mkdir(exist_ok=True)
    return folder


@pytest.fixture
def cache(tool_cache: Path, tmp_path: Path) -> Path:
    """The same tools, and no results of earlier builds."""
    folder = tmp_path / "cache"
    folder.mkdir()
    for part in ("npm", "node"):
        (folder / part).symlink_to(tool_cache / part)
    return folder


@pytest.fixture
def lexer(tool_cache: Path, env: dict[str, str]) -> Iterator[Lexer]:
    made = Lexer(tool_cache, env)
    yield made
    made.close()


@pytest.fixture
def build(tmp_path: Path, cache: Path, env: dict[str, str]) -> Build:
    count = iter(range(1000))

    def run(files: Tree, settings: AssetSettings = PLAIN, *, folder: Path | None = None) -> Built:
        number = next(count)
        source = write(folder or tmp_path / f"source{number}", files)
        destination = tmp_path / f"built{number}"
        manifest = build_assets([Root(source)], destination, settings, cache=cache, env=env)
        return Built(manifest, destination)

    return run


@pytest.fixture
def build_roots(tmp_path: Path, cache: Path, env: dict[str, str]) -> Callable[..., Built]:
    def run(roots: Sequence[Root], settings: AssetSettings = PLAIN) -> Built:
        destination = tmp_path / "built-roots"
        return Built(build_assets(roots, destination, settings, cache=cache, env=env), destination)

    return run
