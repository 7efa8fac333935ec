"""Repositories to build, and one build that several tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.builder.build import BuildResult
from support.builds import DEMO, DEPENDENCIES, Repository, lock, make_repository


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
