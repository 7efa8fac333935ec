"""The commands and locks that a fresh clone starts with."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
import tomli
from packaging.requirements import Requirement

from support.longest_first import LONGEST_FIRST

HOUSE = Path(__file__).resolve().parents[1]
LOCKS = (
    "requirements.lock",
    "requirements-dev.lock",
    "examples/hello/requirements.txt",
    "examples/shop/requirements.txt",
)
SCRIPTS = sorted([*(HOUSE / "scripts").iterdir(), HOUSE / ".ci" / "run"])


def pinned(lock: str) -> dict[str, set[str]]:
    """Return the versions that a lock pins of each distribution."""
    versions: dict[str, set[str]] = {}
    pins = re.compile(r"^([a-z0-9-]+)(?:\[.*\])?==([^ ;]+)", re.MULTILINE)
    for name, version in pins.findall((HOUSE / lock).read_text()):
        versions.setdefault(name, set()).add(version)
    return versions


def wanted(project: str, *groups: str) -> list[Requirement]:
    """Return what a project depends on, with some of its groups."""
    asked = HOUSE / project / "requirements.in"
    if asked.is_file():
        return [Requirement(line) for line in asked.read_text().splitlines()]
    document = tomli.loads((HOUSE / project / "pyproject.toml").read_text())
    texts: list[str] = list(document["project"]["dependencies"])
    for group in groups:
        texts += [text for text in document["dependency-groups"][group] if isinstance(text, str)]
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize(
    ("lock", "project", "groups"),
    [
        ("requirements.lock", ".", ()),
        ("requirements-dev.lock", ".", ("test", "check", "dev")),
        ("examples/hello/requirements.txt", "examples/hello", ()),
        ("examples/shop/requirements.txt", "examples/shop", ()),
    ],
)
def test_a_lock_pins_what_the_project_asks_for(
    lock: str, project: str, groups: tuple[str, ...]
) -> None:
    versions = pinned(lock)
    for requirement in wanted(project, *groups):
        found = versions.get(requirement.name.lower(), set())
        assert found, f"{lock} lacks {requirement}: run scripts/lock"
        assert all(requirement.specifier.contains(version) for version in found), requirement


def test_the_files_that_begin_first_are_there() -> None:
    assert [name for name in LONGEST_FIRST if not (HOUSE / "tests" / name).is_file()] == []
    assert len(LONGEST_FIRST) == len(set(LONGEST_FIRST))


def test_everything_that_is_imported_is_installed() -> None:
    setuptools = tomli.loads((HOUSE / "pyproject.toml").read_text())["tool"]["setuptools"]
    folders = {
        path.parent.relative_to(HOUSE).as_posix()
        for package in setuptools["package-dir"].values()
        for path in (HOUSE / package).rglob("*.py")
    }

    assert sorted(setuptools["packages"]) == sorted(
        f"castoff.{folder.replace('/', '.')}" for folder in folders
    )


def test_every_dependency_is_explained() -> None:
    explained = (HOUSE / "docs" / "explanation" / "dependencies.md").read_text()
    document = tomli.loads((HOUSE / "pyproject.toml").read_text())
    extras = chain.from_iterable(document["project"]["optional-dependencies"].values())
    requirements = [*wanted(".", "test", "check", "dev"), *map(Requirement, extras)]
    named = set(re.findall(r"[a-z0-9-]+", explained))
    assert [str(one) for one in requirements if one.name.lower() not in named] == []


@pytest.mark.parametrize("extra", ["assets", "provision"])
def test_development_has_every_extra(extra: str) -> None:
    document = tomli.loads((HOUSE / "pyproject.toml").read_text())
    tools = map(Requirement, document["project"]["optional-dependencies"][extra])
    assert {one.name for one in tools} <= set(pinned("requirements-dev.lock"))


def test_tests_run_what_users_run() -> None:
    development = pinned("requirements-dev.lock")
    assert {name: development[name] for name in pinned("requirements.lock")} == pinned(
        "requirements.lock"
    )


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_digests_for_everything_and_names_no_place(lock: str) -> None:
    text = (HOUSE / lock).read_text()
    for requirement in re.split(r"\n(?=\S)", text):
        assert "--hash=sha256:" in requirement, requirement
    assert "://" not in text
    assert "--index" not in text


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_a_script_is_executable_and_its_shell_can_read_it(script: Path) -> None:
    first_line = script.read_text().splitlines()[0]
    assert script.stat().st_mode & 0o111
    if first_line.endswith("sh"):
        subprocess.run([first_line.removeprefix("#!"), "-n", script], check=True)


def test_ci_runs_the_test_command_and_nothing_else() -> None:
    lines = (HOUSE / ".ci" / "run").read_text().splitlines()
    commands = [line for line in lines if not line.startswith(("#", "set ", "cd "))]
    assert commands == ["exec </dev/null", "exec scripts/test"]


def test_the_demo_does_its_whole_round(tmp_path: Path) -> None:
    """As `scripts/demo`, but elsewhere: three hosts, two releases, a rollback, a poller."""
    demo = subprocess.run(
        [sys.executable, HOUSE / "examples" / "hello" / "demo.py", tmp_path / "demo"],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert demo.stdout.count("answered:") == 3
    assert "failed: 0" in demo.stdout
    assert not list(tmp_path.glob("demo/hosts/*/shared/*.pid"))
