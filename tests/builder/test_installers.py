"""Fetching and installing, by uv and by pip, from indexes that behave and that do not."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest

from castoff.builder.build import BuildResult, build
from castoff.builder.errors import BuildError, SourceError
from castoff.builder.interpreter import uv
from castoff.builder.request import BuildRequest
from castoff.config.model import App, Build, BuildTarget
from castoff.store.errors import CastoffError
from support.builds import Repository, names, unpack
from support.interpreters import free_threaded
from support.local_index import Index, local_index, sdist, wheel

TOOL = wheel(
    "tool",
    "1.0",
    {
        "tool/__init__.py": "def main():\n    print('tool')\n",
        "tool-1.0.data/scripts/plain.py": "#!python\nprint('plain')\n",
        "tool-1.0.data/data/share/tool/data.txt": "data\n",
    },
    requires=("space-one>=1",),
    entry_points="[console_scripts]\ntool = tool:main\n",
)
# Two distributions in one namespace package.
ONE = wheel("space_one", "1.0", {"space/one.py": "ONE = 1\n"})
TWO = wheel("space_two", "1.0", {"space/two.py": "TWO = 2\n"})
ARM = wheel("fast", "2.0", {"fast.py": ""}, tag="cp312-cp312-manylinux_2_28_aarch64")
MUSL = wheel("fast", "2.0", {"fast.py": "M = 1\n"}, tag="cp312-cp312-musllinux_1_2_x86_64")
_MANYLINUX = f"manylinux_2_17_{platform.machine()}"
WHEELS = tuple(name for name, _ in (TOOL, ONE, TWO))


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """What the back end of `slow` writes to whenever it runs."""
    path = tmp_path / "log"
    path.touch()
    return path


@pytest.fixture
def index(log: Path) -> Iterator[Index]:
    with local_index(TOOL, ONE, TWO, ARM, MUSL, sdist("slow", "3.0", log=str(log))) as served:
        yield served


def make(
    repository: Repository,
    index: Index,
    output: Path,
    *,
    home: str = "home",
    cache: Path | None = None,
    said: list[str] | None = None,
    **recipe: Any,
) -> BuildResult:
    folder = output.parent / home
    folder.mkdir(exist_ok=True)
    heard = [] if said is None else said
    return build(
        BuildRequest(
            repository=repository.folder,
            app="demo",
            recipe=App(build=Build(**recipe)),
            output=output,
            version="1.0",
            environment={**index.environment(folder), "BUILD_LOG": "1"},
            cache=cache,
        ),
        progress=lambda stage, detail: heard.append(f"{stage}: {detail}"),
    )


def test_uv_and_pip_make_the_same_tree(
    repository: Repository, index: Index, tmp_path: Path
) -> None:
    repository.commit({"requirements.txt": index.requirement(*WHEELS, "slow-3.0.tar.gz")})
    by_uv = make(repository, index, tmp_path / "uv")
    by_pip = make(repository, index, tmp_path / "pip", installer="pip")
    found = names(by_uv.archive)
    assert {"lib/space/one.py", "lib/space/two.py", "lib/slow.py", "bin/tool"} <= found
    assert {"lib/bin/plain.py", "lib/share/tool/data.txt"} <= found
    assert names(by_pip.archive) == found
    assert by_pip.manifest.tree_sha256 == by_uv.manifest.tree_sha256
    assert "pip" in by_pip.manifest.built_with
    assert "pip" not in by_uv.manifest.built_with


@pytest.mark.parametrize("broken", ["missing", "does not run"])
def test_pip_takes_over_where_uv_cannot_be_used(
    repository: Repository,
    index: Index,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    broken: str,
) -> None:
    repository.commit({"requirements.txt": index.requirement(*WHEELS[1:])})
    program = tmp_path / "uv"
    if broken == "missing":

        def find() -> str:
            raise FileNotFoundError(program)
    else:
        program.write_text("#!/bin/sh\nexit 126\n")
        program.chmod(0o755)

        def find() -> str:
            return str(program)

    monkeypatch.setattr("uv.find_uv_bin", find)
    said: list[str] = []
    result = make(repository, index, tmp_path / "out", said=said)
    assert "lib/space/one.py" in names(result.archive)
    assert any(line.startswith("fetch: by pip: ") for line in said)


def test_installing_makes_no_connection(
    repository: Repository, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from castoff.builder.installer_uv import UvInstaller

    repository.commit({"requirements.txt": index.requirement(*WHEELS, "slow-3.0.tar.gz")})
    install = UvInstaller.install
    asked = []

    def cut_off(self: UvInstaller, *words: Any, **how: Any) -> None:
        # Nothing answers any more, whatever uv still believes.
        files, index.files = index.files, {}
        asked.append(len(index.asked))
        install(self, *words, **how)
        asked.append(len(index.asked))
        index.files = files

    monkeypatch.setattr(UvInstaller, "install", cut_off)
    result = make(repository, index, tmp_path / "out")
    assert asked[0] == asked[1] > 0
    assert "lib/slow.py" in names(result.archive)


def _copying(self: Any, real: Any, *words: Any, **how: Any) -> None:
    real(self, *words, **{**how, "linked": False})


@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_installing_works_where_there_is_no_network(
    repository: Repository, index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from castoff.builder import installer_uv
    from castoff.builder.process import run

    def isolated(argv: Any, **how: Any) -> bytes:
        cut = ["unshare", "-n"] if "--offline" in argv else []
        cuts.append(bool(cut))
        return run([*cut, *argv], **how)

    cuts: list[bool] = []
    repository.commit({"requirements.txt": index.requirement(*WHEELS, "slow-3.0.tar.gz")})
    monkeypatch.setattr(installer_uv, "run", isolated)
    for name in ("fetch", "install"):
        real = getattr(installer_uv.UvInstaller, name)
        # As where code of the project's runs: where none does, nothing is run to install.
        copies = partialmethod(_copying, real)
        monkeypatch.setattr(installer_uv.UvInstaller, name, copies)
    result = make(repository, index, tmp_path / "out")
    # To fetch, to install, and to see which files that were.
    assert cuts == [False, True, True]
    assert "lib/slow.py" in names(result.archive)


@pytest.mark.parametrize(
    ("file", "settings"),
    [
        ("pyproject.toml", '[[tool.uv.index]]\nname = "own"\nurl = "{url}"\ndefault = true\n'),
        ("uv.toml", 'index-url = "{url}"\n'),
        ("uv.toml", 'no-index = true\nfind-links = ["./wheels"]\n'),
    ],
)
def test_indexes_that_the_project_names_are_those_it_is_installed_from(
    repository: Repository, index: Index, tmp_path: Path, file: str, settings: str
) -> None:
    repository.commit(
        {
            file: settings.format(url=index.url),
            f"wheels/{ONE[0]}": ONE[1],
            "requirements.txt": index.requirement(ONE[0]),
        }
    )
    user = index.environment(tmp_path)
    environment = {k: v for k, v in user.items() if k not in ("UV_DEFAULT_INDEX", "UV_NO_CONFIG")}
    result = repository.build(tmp_path / "out", environment=environment)
    assert "lib/space/one.py" in names(result.archive)


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_wheels_in_the_repository_are_installed(
    repository: Repository, index: Index, tmp_path: Path, installer: str
) -> None:
    requirements = "--no-index\n--find-links {}\n" + index.requirement(ONE[0])
    repository.commit(
        {"requirements.txt": requirements.format("./vendor"), f"vendor/{ONE[0]}": ONE[1]}
    )
    cache = tmp_path / "cache"
    first = make(repository, index, tmp_path / "one", cache=cache, installer=installer)
    assert "lib/space/one.py" in names(first.archive)
    second = make(repository, index, tmp_path / "two", cache=cache, installer=installer)
    assert "install" not in second.seconds
    assert second.manifest == first.manifest
    repository.commit({"requirements.txt": requirements.format("../vendor")})
    with pytest.raises(SourceError, match=r"a folder that is not in the commit: \.\./vendor"):
        make(repository, index, tmp_path / "three", installer=installer)


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_of_all_that_is_allowed_the_digest_of_what_was_installed_is_kept(
    repository: Repository, index: Index, tmp_path: Path, installer: str
) -> None:
    other = f" --hash=sha256:{'0' * 64}\n"
    sources = index.requirement("slow-3.0.tar.gz").replace("\n", other)
    wheel = index.requirement(ONE[0]).replace("\n", other)
    digest = {name: hashlib.sha256(data).hexdigest() for name, data in index.files.items()}
    url = f"http://{index.host}/files/{TWO[0]}"
    direct = f"space-two @ {url} --hash=sha256:{digest[TWO[0]]}\n"
    lock = sources + wheel + direct
    repository.commit({"requirements.txt": lock})
    wanted = {
        "slow": digest["slow-3.0.tar.gz"],
        "space-one": digest[ONE[0]],
        "space-two": digest[TWO[0]],
    }

    def kept(name: str, cache: Path | None) -> dict[str, str]:
        made = make(repository, index, tmp_path / name, cache=cache, installer=installer)
        return {one.name: one.sha256 for one in made.manifest.dependencies}

    cache = tmp_path / "cache"
    # Fetched, found, made without any cache, and with the wheel alone that was built before.
    assert kept("fetched", cache) == wanted
    assert kept("found", cache) == wanted
    assert kept("alone", None) == wanted
    repository.commit({"requirements.txt": wheel + sources + direct})
    shutil.rmtree(cache / ("uv" if installer == "uv" else "pip"))
    assert kept("again", cache) == wanted


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


def test_a_manifest_never_lacks_digests_because_an_index_is_down(
    repository: Repository, tmp_path: Path
) -> None:
    with local_index(ONE) as index:
        repository.commit({"requirements.txt": index.requirement(ONE[0])})
        make(repository, index, tmp_path / "one", cache=tmp_path / "cache")
    (kept,) = (folder for folder in (tmp_path / "cache").rglob("files") if folder.is_dir())
    shutil.rmtree(kept)
    shutil.rmtree(tmp_path / "cache/uv", ignore_errors=True)
    with pytest.raises(BuildError, match=rf"index {index.host} does not answer"):
        make(repository, index, tmp_path / "two", cache=tmp_path / "cache", home="another")
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_file_that_is_not_the_locked_one_names_lock_and_package(
    repository: Repository, index: Index, tmp_path: Path, installer: str
) -> None:
    repository.commit({"requirements.txt": f"space-one==1.0 --hash=sha256:{'0' * 64}\n"})
    with pytest.raises(BuildError, match=r"^requirements\.txt: the file of space-one 1\.0 that "):
        make(repository, index, tmp_path / "out", installer=installer)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_index_that_is_down_is_named(
    repository: Repository, tmp_path: Path, installer: str
) -> None:
    with local_index(ONE) as index:
        repository.commit({"requirements.txt": index.requirement(ONE[0])})
    with pytest.raises(BuildError, match=rf"index {index.host} does not answer") as caught:
        make(repository, index, tmp_path / "out", installer=installer)
    assert "UV_DEFAULT_INDEX" in caught.value.hint
    assert not (tmp_path / "out").exists()


def test_an_index_that_answers_with_an_error_is_named(
    repository: Repository, tmp_path: Path
) -> None:
    with local_index(ONE, status=503) as index:
        repository.commit({"requirements.txt": index.requirement(ONE[0])})
        with pytest.raises(BuildError, match=rf"index {index.host} answers 503"):
            make(repository, index, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_what_the_index_does_not_have_is_named(
    repository: Repository, index: Index, tmp_path: Path
) -> None:
    repository.commit({"requirements.txt": f"space-one==9.9 --hash=sha256:{'0' * 64}\n"})
    with pytest.raises(BuildError, match=r"locks space-one 9\.9, and the index .*does not have it"):
        make(repository, index, tmp_path / "out")


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_what_the_lock_lacks_is_named(
    repository: Repository, index: Index, tmp_path: Path, installer: str
) -> None:
    repository.commit({"requirements.txt": index.requirement(TOOL[0])})
    with pytest.raises(CastoffError, match="space-one"):
        make(repository, index, tmp_path / "out", installer=installer)


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_wheels_for_another_machine_and_python_are_installed(
    repository: Repository, index: Index, tmp_path: Path, installer: str
) -> None:
    repository.commit(
        {
            "requirements.txt": index.requirement(ARM[0])
            + index.requirement(ONE[0]).replace(" --", " ; python_version < '3.12' --")
            + index.requirement(TWO[0]).replace(" --", " ; platform_machine == 'aarch64' --"),
            "app.py": "",
        }
    )
    target = BuildTarget(python="3.12", machine="aarch64", glibc="2.31")
    said: list[str] = []
    result = make(
        repository, index, tmp_path / "out", said=said, installer=installer, target=target
    )
    found = result.manifest.target
    assert (found.python, found.exact_python) == ("3.12", True)
    assert (found.machine, found.glibc, found.musl) == ("aarch64", "2.28", "")
    files = names(result.archive)
    assert {"lib/fast.py", "lib/space/two.py"} <= files
    assert "lib/space/one.py" not in files
    if sys.version_info[:2] != (3, 12) and shutil.which("python3.12") is None:
        assert not any(name.endswith(".pyc") for name in files)
        assert any("no byte code, which Python 3.12" in line for line in said)


@pytest.mark.parametrize("declared", [False, True])
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_free_threaded_python_has_the_wheels_of_its_own_abi(
    repository: Repository, tmp_path: Path, installer: str, declared: bool
) -> None:
    python = free_threaded()
    if python is None:
        pytest.skip("there is no free-threaded Python here")
    minor = Path(python).name.removeprefix("python").removesuffix("t")
    tag = f"cp{minor.replace('.', '')}"
    shown = "import fast\n\ndef main():\n    print(fast.ABI)\n"
    wheels = [
        wheel("fast", "2.0", {"fast.py": f"ABI = {abi!r}\n"}, tag=f"{tag}-{abi}-{_MANYLINUX}")
        for abi in (tag, f"{tag}t")
    ]
    show = wheel(
        "show", "1", {"show.py": shown}, entry_points="[console_scripts]\nshow = show:main\n"
    )
    with local_index(*wheels, show) as index:
        hashes = " ".join(index.requirement(name).split(" ", 1)[1].strip() for name, _ in wheels)
        repository.commit({"requirements.txt": f"fast==2.0 {hashes}\n{index.requirement(show[0])}"})
        target = BuildTarget(python=f"{minor}t") if declared else None
        result = make(
            repository, index, tmp_path / "out", installer=installer, python=python, target=target
        )
    found = result.manifest.target
    assert (found.python, found.exact_python, found.abi) == (minor, True, f"{tag}t")
    assert any(name.endswith(".pyc") for name in names(result.archive))
    tree = unpack(result.archive, tmp_path / "tree")
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin:{Path(python).parent}"
    done = subprocess.run(
        [tree / "bin/show"], env={"PATH": path}, check=True, capture_output=True, text=True
    )
    assert done.stdout == f"{tag}t\n"


def test_wheels_for_musl_are_installed(
    repository: Repository, index: Index, tmp_path: Path
) -> None:
    repository.commit({"requirements.txt": index.requirement(MUSL[0])})
    target = BuildTarget(python="3.12", machine="x86_64", musl="1.2")
    found = make(repository, index, tmp_path / "out", target=target).manifest
    assert (found.target.glibc, found.target.musl) == ("", "1.2")


@pytest.mark.parametrize(
    ("installer", "package"), [("uv", ARM[0]), ("uv", "slow-3.0.tar.gz"), ("pip", ARM[0])]
)
def test_a_wheel_that_is_missing_for_the_target_is_named(
    repository: Repository, index: Index, tmp_path: Path, log: Path, installer: str, package: str
) -> None:
    repository.commit({"requirements.txt": index.requirement(package)})
    target = BuildTarget(python="3.12", machine="x86_64", glibc="2.17")
    wanted = f"{package[:4]} {package[5:8]}, which requirements.txt locks, has no wheel for"
    with pytest.raises(SourceError, match=wanted) as caught:
        make(repository, index, tmp_path / "out", installer=installer, target=target)
    assert "Python 3.12 on x86_64 with glibc 2.17" in caught.value.message
    assert "[apps.NAME.build.target]" in caught.value.hint
    assert not log.read_text()


@pytest.mark.parametrize("lock", ["requirements.txt", "pylock.toml"])
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_all_wheels_that_are_missing_for_the_target_are_named(
    repository: Repository, tmp_path: Path, log: Path, installer: str, lock: str
) -> None:
    old = wheel("old", "1.1", {"old.py": ""}, tag="cp39-cp39-manylinux_2_28_x86_64")
    with local_index(ARM, MUSL, old, ONE, sdist("slow", "3.0", log=str(log))) as index:
        hashes = index.requirement(MUSL[0]).split()[1]
        text = f"{index.requirement(ARM[0]).strip()} {hashes}\n" + index.requirement(
            ONE[0], old[0], "slow-3.0.tar.gz"
        )
        if lock == "pylock.toml":
            text = index.pylock(ARM[0], MUSL[0], ONE[0], old[0], "slow-3.0.tar.gz")
        repository.commit({lock: text})
        target = BuildTarget(python="3.12", machine="x86_64", glibc="2.17")
        with pytest.raises(SourceError) as caught:
            make(repository, index, tmp_path / "out", installer=installer, target=target)
    lines = caught.value.message.splitlines()
    assert lines[0] == (
        f"3 packages that {lock} locks have no wheel for Python 3.12 on x86_64 with glibc 2.17:"
    )
    assert [line.split(":")[0] for line in lines[1:]] == [
        "    fast 2.0",
        "    old 1.1",
        "    slow 3.0",
    ]
    if installer == "uv" or lock == "pylock.toml":
        assert "cp312-cp312-musllinux_1_2_x86_64, cp312-cp312-manylinux_2_28_aarch64" in lines[1]
        assert "cp39" in lines[2]
        assert "sources alone" in lines[3]
    assert not log.read_text()
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
