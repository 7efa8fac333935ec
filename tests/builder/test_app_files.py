from __future__ import annotations

from pathlib import Path

import pytest

from castoff.builder.app_files import copy_app, part
from castoff.builder.errors import SourceError

FILES = ("manage.py", "static/a.css", "static/deep/b.css", "tests/test_a.py", "docs/[x].md", ".env")


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        (["**"], [], set(FILES)),
        (["*"], ["*.md", "tests"], {"manage.py", "static/a.css", "static/deep/b.css",
                                    "docs/[x].md", ".env"}),
        (["*.py"], [], {"manage.py"}),
        (["**/*.py"], [], {"manage.py", "tests/test_a.py"}),
        (["static"], [], {"static/a.css", "static/deep/b.css"}),
        (["./static/"], ["static/deep/**"], {"static/a.css"}),
        (["static/*.css"], [], {"static/a.css"}),
        (["**/b.css"], [], {"static/deep/b.css"}),
        (["static/**/b.css"], [], {"static/deep/b.css"}),
        (["docs/[[]x].md"], [], {"docs/[x].md"}),
        (["m?nage.py", "tests/test_[!b].py"], [], {"manage.py", "tests/test_a.py"}),
    ],
)  # fmt: skip
def test_globs_choose_files(
    tmp_path: Path, include: list[str], exclude: list[str], expected: set[str]
) -> None:
    folder, destination = tmp_path / "source", tmp_path / "app"
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    copy_app(folder, destination, include=include, exclude=exclude)
    found = {str(p.relative_to(destination)) for p in destination.rglob("*") if p.is_file()}
    assert found == expected


def test_links_are_copied_as_links(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/link").symlink_to("/etc")
    copy_app(tmp_path / "source", tmp_path / "app", include=["**"], exclude=[])
    assert (tmp_path / "app/link").is_symlink()


def test_a_glob_that_fits_nothing_is_a_slip(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/page.txt").touch()
    with pytest.raises(SourceError, match=r"'pages\.txt' fits no file"):
        copy_app(tmp_path / "source", tmp_path / "app", include=["*", "pages.txt"], exclude=[])


def test_all_of_an_empty_folder_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    copy_app(tmp_path / "source", tmp_path / "app", include=["**"], exclude=[])
    assert not (tmp_path / "app").exists()


def test_a_glob_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "a").touch()
    with pytest.raises(SourceError, match=r"'\[z-a\]\*' is not a glob"):
        copy_app(tmp_path / "from", tmp_path / "to", include=("[z-a]*",), exclude=())


def test_links_save_copies_until_code_of_the_project_s_may_write_into_them(tmp_path: Path) -> None:
    folder, destination = tmp_path / "source", tmp_path / "app"
    (folder / "pkg").mkdir(parents=True)
    (folder / "pkg" / "a.py").write_text("a = 1\n")
    (folder / "pkg" / "a.py").chmod(0o755)
    (folder / "link").symlink_to("pkg/a.py")
    copy_app(folder, destination, include=["**"], exclude=[], linked=True)
    assert (destination / "pkg/a.py").samefile(folder / "pkg/a.py")
    part(destination)
    with (folder / "pkg" / "a.py").open("a") as file:
        file.write("b = 2\n")
    assert (destination / "pkg" / "a.py").read_text() == "a = 1\n"
    assert (destination / "pkg" / "a.py").stat().st_mode & 0o777 == 0o755
    assert (destination / "link").readlink() == Path("pkg/a.py")
    part(tmp_path / "missing")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["app", "source"]
