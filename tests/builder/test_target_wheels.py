"""Wheels for a host that differs from the machine that builds."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from castoff.builder.errors import SourceError
from castoff.config.model import BuildTarget
from support.builds import Repository, names, unpack
from support.installing import ARM, MUSL, ONE, TWO, make
from support.interpreters import free_threaded
from support.local_index import Index, local_index, sdist, wheel

_MANYLINUX = f"manylinux_2_17_{platform.machine()}"


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
    assert "cp312-cp312-musllinux_1_2_x86_64, cp312-cp312-manylinux_2_28_aarch64" in lines[1]
    assert "cp39" in lines[2]
    assert "sources alone" in lines[3]
    assert not log.read_text()
    assert not (tmp_path / "out").exists() or not list((tmp_path / "out").iterdir())
