"""A project that asks for dependencies is never built without them, whatever way it says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.builder.build import build
from castoff.builder.errors import SourceError
from castoff.builder.make_lock import make_lock
from castoff.builder.request import BuildRequest
from castoff.config.model import App, Build
from support.builds import Repository, names

POETRY = '[tool.poetry]\nname = "demo"\n[tool.poetry.dependencies]\npython = "^3.10"\nsix = "*"\n'


@pytest.mark.parametrize(
    ("files", "what", "remedy"),
    [
        ({"Pipfile": '[packages]\nsix = "*"\n'}, "there is a Pipfile", "pipenv lock"),
        ({"requirements.in": "six\n"}, "there is a requirements.in", "castoff lock"),
        ({"pyproject.toml": POETRY}, r"declares dependencies \(six\)", "poetry lock"),
        ({"requirements-prod.txt": "six\n"}, "requirements-prod.txt", 'lock = "requirements-prod'),
        ({"requirements/base.txt": ""}, "requirements/base.txt", 'lock = "requirements/base.txt"'),
        ({"setup.py": ""}, "there is a setup.py", "an empty requirements.txt"),
    ],
)
def test_a_project_without_a_lock_is_told_how_to_make_one(
    repository: Repository, tmp_path: Path, files: dict[str, str], what: str, remedy: str
) -> None:
    repository.commit({"main.py": "print(1)\n", **files})
    with pytest.raises(SourceError, match=what) as caught:
        repository.build(tmp_path / "out")
    assert "no lock" in caught.value.message
    assert remedy in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_what_is_left_out_or_for_developers_asks_for_nothing(
    repository: Repository, tmp_path: Path
) -> None:
    files = {"index.html": "", "requirements-dev.txt": "x\n", "Pipfile": "", "requirements.in": ""}
    repository.commit(files)
    built = repository.build(tmp_path / "out", exclude=("Pipfile", "*.in"))
    assert "app/requirements-dev.txt" in names(built.archive)


@pytest.mark.parametrize(
    ("files", "command"),
    [({"pyproject.toml": POETRY}, "poetry lock"), ({"Pipfile": ""}, "pipenv lock")],
)
def test_the_lock_of_another_tool_is_left_to_it_before_there_is_one(
    repository: Repository, files: dict[str, str], command: str
) -> None:
    repository.write(files)
    with pytest.raises(SourceError) as caught:
        make_lock(repository.folder, Build(), environment={})
    assert command in caught.value.hint


def test_a_lock_that_was_not_committed_is_told_of(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"requirements.in": "six\n"})
    repository.write({"requirements.txt": "six==1.17.0 --hash=sha256:0\n"})
    told: list[str] = []
    with pytest.raises(SourceError, match="no lock"):
        build(asked(repository, tmp_path), progress=lambda _, detail: told.append(detail))
    said = "warning: requirements.txt is here and not in HEAD: git add requirements.txt, and"
    assert said in " ".join(told)


def test_scripts_that_no_wheel_brings_are_told_of(repository: Repository, tmp_path: Path) -> None:
    project = '[project]\nname = "tidy"\nversion = "1"\nscripts = { tidy = "tidy:main" }\n'
    repository.commit({"pyproject.toml": project, "tidy.py": "def main(): pass\n"})
    told: list[str] = []
    build(asked(repository, tmp_path), progress=lambda _, detail: told.append(detail))
    assert "bin/ will lack the project's own tidy" in " ".join(told)


def asked(repository: Repository, tmp_path: Path) -> BuildRequest:
    return BuildRequest(repository.folder, "demo", App(build=Build()), tmp_path / "out")
