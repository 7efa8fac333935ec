"""What has no wheel is built from its sources: once, and anew where that may give another."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from castoff.builder.interpreter import uv
from support.builds import Repository, names, unpack
from support.installing import ONE, WHEELS, make
from support.local_index import Index, sdist


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_what_has_no_wheel_is_built_once(
    repository: Repository, index: Index, tmp_path: Path, log: Path, installer: str
) -> None:
    slow = index.requirement("slow-3.0.tar.gz")
    repository.commit({"requirements.txt": slow})
    cache = tmp_path / "cache"
    first = make(repository, index, tmp_path / "one", cache=cache, installer=installer)
    assert log.read_text().split("\n") == ["built slow", ""]
    # Another lock, so that nothing but the wheel itself can be found again; a later commit, so
    # that another time would be seen.
    repository.commit({"requirements.txt": slow + index.requirement(ONE[0])})
    second = make(repository, index, tmp_path / "two", cache=cache, installer=installer)
    assert log.read_text().split("\n") == ["built slow", ""]
    assert "lib/slow.py" in names(first.archive) & names(second.archive)


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_what_has_no_wheel_is_built_once_wherever_its_sources_lie(
    repository: Repository, index: Index, tmp_path: Path, log: Path, installer: str
) -> None:
    slow = f"--find-links ./vendor\n{index.requirement('slow-3.0.tar.gz')}"
    sources = index.files.pop("slow-3.0.tar.gz")
    repository.commit({"vendor/slow-3.0.tar.gz": sources, "requirements.txt": slow})
    cache = tmp_path / "cache"
    first = make(repository, index, tmp_path / "one", cache=cache, installer=installer)
    # Another lock, and another folder of the build's own.
    repository.commit({"requirements.txt": slow + index.requirement(ONE[0])})
    second = make(repository, index, tmp_path / "two", cache=cache, installer=installer)
    assert log.read_text().split("\n") == ["built slow", ""]
    before, after = (
        unpack(one.archive, tmp_path / f"unpacked-{one.manifest.tree_sha256}") / "lib"
        for one in (first, second)
    )
    for path in ("slow.py", "slow-3.0.dist-info/RECORD"):
        assert (after / path).read_bytes() == (before / path).read_bytes()
    # Nor is what was built of other sources of that name and version.
    others = sdist("slow", "3.0", log=f"{log}.others")[1]
    digest = hashlib.sha256(others).hexdigest()
    lock = f"--find-links ./vendor\nslow==3.0 --hash=sha256:{digest}\n"
    repository.commit({"vendor/slow-3.0.tar.gz": others, "requirements.txt": lock})
    make(repository, index, tmp_path / "three", cache=cache, installer=installer)
    assert Path(f"{log}.others").read_text().count("built") == 1


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("uv.toml", '[pip]\nconfig-settings = {{ mode = "{}" }}\n'),
        ("pyproject.toml", '[tool.uv.pip]\nconfig-settings = {{ mode = "{}" }}\n'),
    ],
)
@pytest.mark.parametrize("more", [(), (ONE[0],)])
def test_what_a_build_is_told_by_the_project_is_not_taken_from_before(
    repository: Repository,
    index: Index,
    tmp_path: Path,
    name: str,
    settings: str,
    more: tuple[str, ...],
) -> None:
    user = {k: v for k, v in index.environment(tmp_path).items() if k != "UV_NO_CONFIG"}
    cache = tmp_path / "cache"

    def told(mode: str, *names: str) -> tuple[bool, str]:
        lock = index.requirement("slow-3.0.tar.gz", *names)
        repository.commit({name: settings.format(mode), "requirements.txt": lock})
        output = tmp_path / f"{mode}-{len(names)}"
        shutil.rmtree(output, ignore_errors=True)
        built = repository.build(output, environment=user, cache=cache)
        slow = unpack(built.archive, output / "unpacked") / "lib/slow.py"
        return "install" in built.seconds, slow.read_text().partition("TOLD = ")[2]

    assert told("one") == (True, "[('mode', 'one')]\n")
    # With another lock the wheel alone could be found again.
    assert told("two", *more) == (True, "[('mode', 'two')]\n")
    assert told("one") == (False, "[('mode', 'one')]\n")


def test_other_ways_to_the_same_files_are_no_reason_to_install_again(
    repository: Repository, index: Index, tmp_path: Path
) -> None:
    user = {k: v for k, v in index.environment(tmp_path).items() if k != "UV_NO_CONFIG"}
    seconds = []
    for number, ways in enumerate(("", 'keyring-provider = "disabled"\n')):
        lock = index.requirement(ONE[0])
        repository.commit({"uv.toml": f"{ways}# one\n", "requirements.txt": lock})
        output = tmp_path / str(number)
        built = repository.build(output, environment=user, cache=tmp_path / "cache")
        seconds.append(built.seconds)
    assert "install" in seconds[0]
    assert "install" not in seconds[1]


def test_without_any_cache_the_same_wheel_is_built(
    repository: Repository, index: Index, tmp_path: Path, log: Path
) -> None:
    repository.commit({"requirements.txt": index.requirement("slow-3.0.tar.gz")})
    one = make(repository, index, tmp_path / "one", home="one-home")
    two = make(repository, index, tmp_path / "two", home="two-home")
    assert log.read_text().count("built") == 2
    assert one.manifest == two.manifest


def test_what_the_user_built_for_himself_is_not_installed(
    repository: Repository, index: Index, tmp_path: Path, log: Path
) -> None:
    repository.commit({"requirements.txt": index.requirement("slow-3.0.tar.gz")})
    home = tmp_path / "home"
    own = {**index.environment(home), "SOURCE_DATE_EPOCH": "999999999"}
    words: list[str | Path] = [uv(), "pip", "install", "--quiet", "--python", sys.executable]
    subprocess.run([*words, "--target", tmp_path / "own", "slow==3.0"], env=own, check=True)
    assert "999999999" in (tmp_path / "own/slow.py").read_text()
    built = make(repository, index, tmp_path / "out")
    assert log.read_text().count("built") == 2
    slow = unpack(built.archive, tmp_path / "unpacked") / "lib/slow.py"
    assert "999999999" not in slow.read_text()


def test_from_the_cache_nothing_is_fetched_or_installed(
    repository: Repository, index: Index, tmp_path: Path, log: Path
) -> None:
    repository.commit({"requirements.txt": index.requirement(*WHEELS, "slow-3.0.tar.gz")})
    cache = tmp_path / "cache"
    first = make(repository, index, tmp_path / "one", cache=cache)
    asked = len(index.asked)
    second = make(repository, index, tmp_path / "two", cache=cache, home="another")
    assert len(index.asked) == asked
    assert log.read_text().count("built") == 1
    assert "install" not in second.seconds
    assert second.manifest == first.manifest
