"""Leaving out of dependencies what nobody runs, and nothing that somebody does."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pytest

from castoff.builder.distributions import installed
from castoff.builder.errors import SourceError
from castoff.builder.normalise import normalise
from castoff.builder.prune import prune
from support.local_index import wheel

ONE = {
    "one/__init__.py": "",
    "one/main.py": "from .tests import needed\n",
    "one/tests/__init__.py": "",
    "one/tests/needed.py": "",
    "one/sub/__init__.py": "",
    "one/sub/tests/__init__.py": "",
    "one/sub/tests/test_it.py": "import one.sub.tests\n",
    "one/test/__init__.py": "",
    "one/docs/guide.txt": "text",
    "one/doc/__init__.py": "",
    "one/.mypy_cache/x.json": "{}",
    "one/data/a.dat": "12345",
    "shared/tests/both.py": "",
    "one-1.data/scripts/tests": "#!python\n",
}
TWO = {
    "two/__init__.py": "import two.other.tests.helpers\n",
    "two/other/tests/helpers.py": "",
    "two/plugin/tests/hook.py": "",
    "two/idle/tests/idle.py": "",
    "shared/tests/both.py": "",
}


@pytest.fixture
def lib(tmp_path: Path) -> Path:
    """Two distributions, installed and normalised."""
    made = tmp_path / "lib"
    made.mkdir()
    hook = "[some.plugins]\nhook = two.plugin.tests.hook:run\n"
    for _, data in (wheel("one", "1", ONE), wheel("two", "1", TWO, entry_points=hook)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            archive.extractall(made)
    normalise(made)
    return made


def left(lib: Path) -> set[str]:
    return {str(path.relative_to(lib)) for path in lib.rglob("*") if path.is_file()}


def leave_out(lib: Path, *rules: str) -> tuple[set[str], int, int]:
    before = left(lib)
    pruned = prune(lib, installed(lib), rules)
    return before - left(lib), pruned.files, pruned.size


def test_tests_go_unless_something_needs_them(lib: Path) -> None:
    gone, files, _ = leave_out(lib, "tests")
    assert gone == {
        "one/sub/tests/__init__.py",
        "one/sub/tests/test_it.py",
        "two/idle/tests/idle.py",
    }
    assert files == 3
    assert not (lib / "two/idle").exists()


def test_documents_go_and_packages_stay(lib: Path) -> None:
    assert leave_out(lib, "docs") == ({"one/docs/guide.txt"}, 1, 4)


def test_caches_go(lib: Path) -> None:
    assert leave_out(lib, "caches")[0] == {"one/.mypy_cache/x.json"}


def test_globs_take_what_they_name_but_metadata(lib: Path) -> None:
    assert leave_out(lib, "**/*.dat", "*.dist-info/**") == ({"one/data/a.dat"}, 1, 5)


@pytest.mark.parametrize("glob", ["lib/one/data/[a-d]*.dat", "one/data/*", "lib/one/data"])
def test_globs_may_name_paths_of_the_release_or_in_lib(lib: Path, glob: str) -> None:
    assert leave_out(lib, glob, "data/*.dat")[0] == {"one/data/a.dat"}


def test_record_names_what_is_left(lib: Path) -> None:
    leave_out(lib, "tests", "docs", "caches", "**/*.dat")
    for one in ("one", "two"):
        record = (lib / f"{one}-1.dist-info/RECORD").read_text()
        names = [row[0] for row in csv.reader(record.splitlines())]
        assert all((lib / name).is_file() for name in names)
        assert names == sorted(names)


def test_a_rule_that_is_no_glob_is_told(lib: Path) -> None:
    with pytest.raises(SourceError, match=r"prune: '\[z-a\]\*' is not a glob"):
        leave_out(lib, "[z-a]*")
