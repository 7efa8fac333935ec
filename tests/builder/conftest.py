"""Repositories to build, and one build that several tests look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from castoff.builder.build import BuildResult
from support.builds import DEMO, DEPENDENCIES, Repository, lock, make_repository
from support.installing import ARM, MUSL, ONE, TOOL, TWO
from support.local_index import Index, local_index, sdist
from support.site import Site


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty repository."""
    return make_repository(tmp_path / "repository")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A project with a wheel, a console script and two dependencies; not to be changed."""
    repository = make_repository(tmp_path_factory.mktemp("demo") / "repository")
    repository.commit({**DEMO, "requirements.txt": lock(*DEPENDENCIES)})
    return repository


@pytest.fixture(scope="session")
def tarball(demo: Repository, tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    """The demo as a tarball."""
    return demo.build(tmp_path_factory.mktemp("tarball"), version="1.0")


@pytest.fixture(scope="session")
def zipapp(demo: Repository, tmp_path_factory: pytest.TempPathFactory) -> BuildResult:
    """The demo as a zipapp."""
    return demo.build(tmp_path_factory.mktemp("zipapp"), version="1.0", format="zipapp")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What the back end of `slow` writes to whenever it runs."""
    path = tmp_path / "log"
    path.touch()
    return path


@pytest.fixture
def index(log: Path) -> Iterator[Index]:
    """An index of five wheels and of the sources of `slow`."""
    with local_index(TOOL, ONE, TWO, ARM, MUSL, sdist("slow", "3.0", log=str(log))) as served:
        yield served


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """A project of one page, whose builds have a folder of temporary files of their own."""
    made = Site(tmp_path / "site")
    (tmp_path / "tmp").mkdir()
    made.variables["TMPDIR"] = str(tmp_path / "tmp")
    made.write({"castoff.toml": "[apps.site]\n", "page.txt": "a page\n"})
    made.commit("a page")
    return made
