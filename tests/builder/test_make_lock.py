"""Making the lock of dependencies, and seeing whether it still fits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from castoff.builder.errors import BuildError, SourceError, StaleLock
from castoff.builder.make_lock import Made, make_lock
from castoff.config.model import Build
from support.local_index import Index, local_index, wheel

OLD = wheel("thing", "1.0", {"thing.py": ""})
NEW = wheel("thing", "2.0", {"thing.py": ""})
PROJECT = """\
[project]
name = "demo"
version = "1"
requires-python = ">=3.10"
dependencies = ["thing{constraint}"]
"""


UV_LOCK = 'version = 1\nrevision = 3\nrequires-python = ">=3.10"\n'


@pytest.fixture
def index() -> Iterator[Index]:
    with local_index(OLD, NEW) as served:
        yield served


class Maker:
    """A project's folder, and its lock made from an index of its own."""

    def __init__(self, folder: Path, index: Index) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        self.environment = index.environment(folder)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text()

    def __call__(
        self, *, lock: str | None = None, upgrade: bool = False, check: bool = False
    ) -> Made:
        return make_lock(
            self.folder,
            Build(lock=lock),
            environment=self.environment,
            upgrade=upgrade,
            check=check,
        )


@pytest.fixture
def maker(tmp_path: Path, index: Index) -> Maker:
    return Maker(tmp_path, index)


def test_requirements_get_hashes_and_keep_their_versions(maker: Maker) -> None:
    maker.write("requirements.in", "thing<2\n")
    with pytest.raises(StaleLock, match=r"there is no requirements\.txt"):
        maker(check=True)
    assert maker() == Made(maker.folder / "requirements.txt", changed=True)
    assert "thing==1.0 \\\n    --hash=sha256:" in maker.read("requirements.txt")
    assert "castoff lock" in maker.read("requirements.txt")
    maker.write("requirements.in", "thing\n")
    assert not maker(check=True).changed
    assert not maker().changed
    assert maker(upgrade=True).changed
    assert "thing==2.0" in maker.read("requirements.txt")


def test_requirements_that_ask_for_something_else_are_stale(maker: Maker) -> None:
    maker.write("requirements.in", "thing<2\n")
    maker()
    before = maker.read("requirements.txt")
    maker.write("requirements.in", "thing>=2\n")
    with pytest.raises(StaleLock, match=r"requirements\.txt is out of date") as caught:
        maker(check=True)
    assert caught.value.exit_code == 21
    assert maker.read("requirements.txt") == before


def test_a_project_gets_a_uv_lock(maker: Maker) -> None:
    maker.write("pyproject.toml", PROJECT.format(constraint="<2"))
    with pytest.raises(StaleLock, match=r"there is no uv\.lock"):
        maker(check=True)
    assert maker() == Made(maker.folder / "uv.lock", changed=True)
    assert not maker(check=True).changed
    maker.write("pyproject.toml", PROJECT.format(constraint=">=2"))
    with pytest.raises(StaleLock, match=r"uv\.lock is out of date"):
        maker(check=True)
    assert maker().changed


def test_a_lock_keeps_its_form_and_place(maker: Maker) -> None:
    maker.write("pyproject.toml", PROJECT.format(constraint="<2"))
    maker.write("requirements.txt", "")
    assert maker().path.name == "requirements.txt"
    assert not (maker.folder / "uv.lock").exists()
    (maker.folder / "locks").mkdir()
    maker.write("locks/production.in", "thing\n")
    assert maker(lock="locks/production.txt").changed
    assert "thing==2.0" in maker.read("locks/production.txt")


def test_without_anything_to_lock_it_says_what_to_write(maker: Maker) -> None:
    with pytest.raises(SourceError, match=r"neither a requirements\.in nor") as caught:
        maker()
    assert "requirements.in" in caught.value.hint


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("poetry.lock", "poetry lock"),
        ("Pipfile.lock", "pipenv lock"),
        ("pylock.toml", "uv export --format pylock.toml"),
    ],
)
def test_locks_of_other_tools_are_left_to_them(maker: Maker, name: str, command: str) -> None:
    maker.write("pyproject.toml", PROJECT.format(constraint=""))
    maker.write(name, "")
    with pytest.raises(SourceError, match=name) as caught:
        maker()
    assert command in caught.value.hint
    # Not that it lacks a uv.lock.
    with pytest.raises(SourceError, match=name):
        maker(check=True)
    with pytest.raises(SourceError, match=r"pylock\.web\.toml"):
        maker(lock="pylock.web.toml")


def test_a_lock_is_replaced_whole_and_where_a_link_leads_to(maker: Maker) -> None:
    maker.write("requirements.in", "thing<2\n")
    (maker.folder / "locks").mkdir()
    maker.write("locks/all.txt", "thing==9\n")
    (maker.folder / "requirements.txt").symlink_to("locks/all.txt")
    (maker.folder / "before").hardlink_to(maker.folder / "locks/all.txt")
    assert maker(upgrade=True).changed
    assert (maker.folder / "requirements.txt").is_symlink()
    assert "thing==1.0" in maker.read("locks/all.txt")
    # Not written over: whoever reads it meanwhile reads all of the old one.
    assert maker.read("before") == "thing==9\n"
    assert {path.name for path in (maker.folder / "locks").iterdir()} == {"all.txt"}


def test_a_lock_that_cannot_be_read_or_written_is_named(maker: Maker) -> None:
    maker.write("requirements.in", "thing<2\n")
    maker.write("file", "")
    with pytest.raises(
        SourceError, match=r"^file/lock\.txt: the lock cannot be written: "
    ) as caught:
        maker(lock="file/lock.txt")
    assert "castoff.toml" in caught.value.hint
    (maker.folder / "folder.txt").mkdir()
    with pytest.raises(SourceError, match=r"^folder\.txt: a folder is where the lock would be"):
        maker(lock="folder.txt")
    (maker.folder / "requirements.txt").write_text("thing==1.0\n", encoding="utf-16")
    with pytest.raises(SourceError, match=r"^requirements\.txt: not a text in UTF-8"):
        maker()


def test_what_cannot_be_solved_is_told_in_uvs_words(maker: Maker) -> None:
    maker.write("requirements.in", "thing==9\n")
    with pytest.raises(BuildError, match=r"thing 9|thing==9"):
        maker()
    assert not (maker.folder / "requirements.txt").exists()


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("name", ["requirements.in", "pyproject.toml"])
def test_what_no_index_has_is_said_to_be_asked_for(maker: Maker, name: str, check: bool) -> None:
    project = PROJECT.format(constraint="").replace('"thing"', '"thing", "ccc-never"')
    maker.write(name, project if name == "pyproject.toml" else "ccc-never\n")
    maker.write(*(("uv.lock", UV_LOCK) if "py" in name else ("requirements.txt", "")))
    with pytest.raises(BuildError, match=rf"^{name} asks for ccc-never, and the index .*not have"):
        maker(check=check)


def test_an_index_that_is_down_is_named(tmp_path: Path) -> None:
    with local_index() as index:
        maker = Maker(tmp_path, index)
    maker.write("requirements.in", "thing\n")
    with pytest.raises(BuildError, match=f"index {index.host} does not answer"):
        maker()


def test_a_list_without_hashes_is_told_from_a_lock(maker: Maker) -> None:
    maker.write("requirements.txt", "thing\n")

    with pytest.raises(SourceError) as caught:
        maker()

    assert "git mv requirements.txt requirements.in" in caught.value.hint
    assert maker.read("requirements.txt") == "thing\n"
