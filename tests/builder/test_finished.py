"""Dependencies that an earlier build finished: the same bytes, less work."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from castoff.builder import dependencies
from castoff.builder.build import BuildResult
from castoff.builder.sbom import make_sbom
from castoff.builder.secrets import SecretFound
from support.builds import DEPENDENCIES, Repository, lock, names
from support.local_index import local_index, wheel

# Put together here, so that no scanner finds it in this file.
BODY = base64.b64encode(bytes(range(90))).decode()
KEY = 'KEY = """\n-----BEGIN ' + f'PRIVATE KEY-----\n{BODY}\n"""\n'

APP = {"app.py": "import itsdangerous\n", "tool/__init__.py": "", "tool/one.py": "x = 1\n"}


@pytest.fixture
def plain(repository: Repository) -> Repository:
    """A project without a wheel of its own: nothing but the lock decides what is in lib/."""
    repository.commit({**APP, "requirements.txt": lock(*DEPENDENCIES)})
    return repository


def contents(result: BuildResult) -> list[bytes]:
    return [path.read_bytes() for path in (result.archive, result.table, result.manifest_path)]


def entries(cache: Path, stage: str) -> list[Path]:
    return sorted(path for path in (cache / stage).glob("*/*"))


def test_with_and_without_a_cache_the_bytes_are_the_same(plain: Repository, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    without = plain.build(tmp_path / "without", version="1")
    cold = plain.build(tmp_path / "cold", version="1", cache=cache)
    warm = plain.build(tmp_path / "warm", version="1", cache=cache, workers=1)
    assert contents(without) == contents(cold) == contents(warm)
    boms = [make_sbom(one.manifest, one.licences) for one in (without, cold, warm)]
    assert boms[0] == boms[1] == boms[2]
    parts = json.loads(boms[2])["components"]
    assert [part["licenses"][0]["license"]["name"] for part in parts] == ["BSD License"] * 2
    assert "install" in cold.seconds
    assert "install" not in warm.seconds
    assert len(entries(cache, "dependencies")) == 1

    # A change: what is kept serves it, and again nothing differs from a build without.
    plain.commit({"tool/one.py": "x = 2\n", "tool/two.py": "y = 1\n"})
    changed = plain.build(tmp_path / "changed", version="2", cache=cache)
    again = plain.build(tmp_path / "again", version="2")
    assert contents(changed) == contents(again)
    assert "install" not in changed.seconds


@pytest.mark.parametrize("what", ["content", "index", "cut"])
def test_damage_is_mended_and_never_released(plain: Repository, tmp_path: Path, what: str) -> None:
    cache = tmp_path / "cache"
    wanted = contents(plain.build(tmp_path / "wanted", version="1", cache=cache))
    (kept,) = entries(cache, "dependencies")
    data = bytearray(kept.read_bytes())
    if what == "cut":
        data = data[: len(data) // 2]
    else:
        data[len(data) // 3 if what == "content" else -100] ^= 1
    kept.write_bytes(data)
    # Without compressed members, contents must be read.
    for path in entries(cache, "members"):
        path.unlink()
    mended = plain.build(tmp_path / "mended", version="1", cache=cache)
    assert contents(mended) == wanted
    assert "install" in mended.seconds
    warm = plain.build(tmp_path / "warm", version="1", cache=cache)
    assert contents(warm) == wanted
    assert "install" not in warm.seconds


def test_a_lock_that_changed_is_installed_anew(plain: Repository, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    plain.build(tmp_path / "one", version="1", cache=cache)
    plain.commit({"requirements.txt": lock(DEPENDENCIES[0])})
    built = plain.build(tmp_path / "two", version="2", cache=cache)
    assert "install" in built.seconds
    assert [one.name for one in built.manifest.dependencies] == ["itsdangerous"]


def test_what_another_castoff_installed_is_installed_anew(
    plain: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    plain.build(tmp_path / "one", version="1", cache=cache)
    assert "install" not in plain.build(tmp_path / "two", version="2", cache=cache).seconds
    for number, changed in enumerate(("version", "own_code")):
        monkeypatch.setattr(dependencies, changed, lambda *_: "another")
        again = plain.build(tmp_path / f"again-{number}", version="3", cache=cache)
        assert "install" in again.seconds


def test_a_cache_that_cannot_be_written_is_gone_without(plain: Repository, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    built = plain.build(tmp_path / "built", version="1", cache=tmp_path / "file" / "cache")
    without = plain.build(tmp_path / "without", version="1")
    assert contents(built) == contents(without)


@pytest.fixture
def odd(repository: Repository, tmp_path: Path) -> Iterator[Callable[..., BuildResult]]:
    """Build with a dependency that brings all kinds of files, without a cache or with one."""
    files: dict[str, str | bytes] = {
        "odd/__init__.py": "x = 1\n",
        "odd/template.py": "{% if x %}\n",
        "odd/__pycache__/__init__.cpython-39.pyc": "stale",
        "odd/old.pyc": "byte code of its own",
        "odd/large.bin": bytes(9 * 1024 * 1024),
        "odd/testing.py": KEY,
        "odd-1.0.data/scripts/odd-tool": "#!python\nprint(1)\n",
        "odd-1.0.data/scripts/odd.py": "#!python\nprint(2)\n",
    }
    scripts = "[console_scripts]\nodd-run = odd:run\n"
    made = wheel("odd", "1.0", files, entry_points=scripts)
    with local_index(made) as index:
        repository.commit({**APP, "requirements.txt": index.requirement(made[0])})

        def run(name: str, cache: Path | None, *allow: str, **wanted: Any) -> BuildResult:
            home = tmp_path / f"home-{name}"
            home.mkdir()
            return repository.build(
                tmp_path / name,
                version="1",
                cache=cache,
                allow_secrets=allow,
                environment=index.environment(home),
                **wanted,
            )

        yield run


ALLOWED = f"lib/odd/testing.py@sha256:{hashlib.sha256(KEY.encode()).hexdigest()}"


def test_a_secret_in_a_dependency_is_told_and_nothing_kept(
    odd: Callable[..., BuildResult], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    for name in ("one", "two"):
        with pytest.raises(SecretFound, match=r"lib/odd/testing\.py:2: a private key"):
            odd(name, cache)
        assert not entries(cache, "dependencies")
    odd("allowed", cache, ALLOWED)
    assert len(entries(cache, "dependencies")) == 1
    # What is kept was allowed then.
    with pytest.raises(SecretFound):
        odd("three", cache)


@pytest.mark.parametrize("prune", [(), ("odd/large.bin",)])
def test_odd_files_are_the_same_with_and_without_a_cache(
    odd: Callable[..., BuildResult], tmp_path: Path, prune: tuple[str, ...]
) -> None:
    cache = tmp_path / "cache"
    without = odd("without", None, ALLOWED, prune=prune)
    cold = odd("cold", cache, ALLOWED, prune=prune)
    warm = odd("warm", cache, ALLOWED, prune=prune, workers=1)
    assert contents(without) == contents(cold) == contents(warm)
    inside = names(cold.archive)
    assert {"bin/odd-run", "bin/odd-tool", "bin/odd.py", "lib/odd/old.pyc"} <= inside
    assert "lib/odd/__pycache__/__init__.cpython-39.pyc" not in inside
    assert ("lib/odd/large.bin" in inside) != bool(prune)
