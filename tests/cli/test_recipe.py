"""What a build reads of castoff.toml: faults are told wherever they are, and sound files once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from castoff.cli.recipe import open_recipe
from castoff.config.errors import ConfigError
from castoff.store.errors import UsageError
from support.site import Site

SOUND = """\
[apps.shop.build]
format = "zipapp"
exclude = ["docs/*"]

[signing]
key = "~/.ssh/id"

[environments.production]
[[environments.production.hosts]]
name = "web1"
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a sound castoff.toml, which is the working directory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", "/home/somebody")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "castoff.toml").write_text(SOUND)
    monkeypatch.chdir(folder)
    return folder


def test_it_says_the_same_whether_the_file_is_known_or_not(place: Path) -> None:
    first, second = open_recipe(None, None), open_recipe(None, "shop")
    assert first == second
    assert (first.app, first.base, first.artifacts) == ("shop", place, place / "artifacts")
    assert (first.settings.build.format, first.settings.build.exclude) == ("zipapp", ("docs/*",))
    assert str(first.key) == "/home/somebody/.ssh/id"


def test_a_fault_in_what_a_build_does_not_need_is_told_each_time(place: Path) -> None:
    open_recipe(None, None)
    file = place / "castoff.toml"
    file.write_text(SOUND.replace("name =", "nmae ="))
    for _ in range(2):
        with pytest.raises(ConfigError, match="nmae"):
            open_recipe(None, None)
    file.write_text(SOUND)
    assert open_recipe(None, None).app == "shop"


def test_an_app_that_is_not_there_is_told(place: Path) -> None:
    for _ in range(2):
        with pytest.raises(UsageError, match="did you mean 'shop'"):
            open_recipe(place / "castoff.toml", "shpo")


@pytest.mark.usefixtures("place")
def test_damage_to_what_is_known_is_found(tmp_path: Path) -> None:
    open_recipe(None, None)
    (known,) = [one for one in (tmp_path / "cache").rglob("configuration/*/*") if one.is_file()]
    known.write_bytes(known.read_bytes()[:-1])
    open_recipe(None, None)
    assert len(known.read_bytes()) == 64


def test_models_of_environments_are_loaded_for_a_file_that_is_not_known(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.write({"castoff.toml": SOUND})
    site.commit("start")
    code = (
        "import sys\n"
        "from castoff.cli.main import main\n"
        "try:\n    main()\n"
        "except SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)\n"
    )
    loaded = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code, "build", "--ref", "nowhere"],
            cwd=site.folder,
            env=site.environment(),
            check=True,
            capture_output=True,
            text=True,
        )
        loaded.append(set(done.stderr.split()))
    unwanted = {"castoff.config.model", "castoff.config.environment_tables"}
    assert unwanted <= loaded[0]
    assert not unwanted & loaded[1]
    assert not {"castoff.store.history", "castoff.config.explain"} & loaded[1]


def test_a_build_like_the_last_one_loads_little_and_starts_few_programs(tmp_path: Path) -> None:
    site = Site(tmp_path / "site")
    site.write({"castoff.toml": SOUND.replace("[signing]\nkey", "#").replace("zipapp", "tarball")})
    site.write({"app/page.py": "A = 1\n"})
    code = (
        "import subprocess, sys\n"
        "import importlib.metadata\n"
        "real = subprocess.Popen.__init__\n"
        "started = []\n"
        "def counted(self, words, *rest, **how):\n"
        "    started.append(words[0].rpartition('/')[2])\n"
        "    real(self, words, *rest, **how)\n"
        "subprocess.Popen.__init__ = counted\n"
        "importlib.metadata.entry_points = None\n"
        "from castoff.cli.main import main\n"
        "try:\n    main()\n"
        "except SystemExit as left:\n    assert not left.code, left.code\n"
        "print(*started)\n"
        "print(*sys.modules)\n"
    )
    for turn in range(2):
        site.write({"docs/page.py": f"A = {turn}\n"})
        site.commit("a change")
        done = subprocess.run(
            [sys.executable, "-c", code, "build", "--json"],
            cwd=site.folder,
            env=site.environment() | {"TMPDIR": str(tmp_path)},
            check=True,
            capture_output=True,
            text=True,
        )
    *_, started, loaded = done.stdout.splitlines()
    # uv says its version; what was exported is removed.
    assert sorted(started.split()) == ["git"] * 5 + ["rm", "uv"]
    unwanted = {
        "castoff.builder.assets_stage",
        "castoff.builder.dirty",
        "castoff.builder.installer_pip",
        "castoff.builder.migrations.find",
        "castoff.config.model",
        "castoff.store.companions",
        "castoff.store.history",
        "detect_secrets",
        "paramiko",
        "rich",
    }
    assert not unwanted & set(loaded.split())
