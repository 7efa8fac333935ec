"""Fetching and installing, by uv and by pip, from indexes that behave and that do not."""

from __future__ import annotations

import hashlib
import os
import shutil
from functools import partialmethod
from pathlib import Path
from typing import Any

import pytest

from castoff.builder.errors import SourceError
from support.builds import Repository, names
from support.installing import ONE, TWO, WHEELS, make
from support.local_index import Index


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
