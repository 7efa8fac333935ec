"""`[apps.NAME.build.target]`, `installer` and `prune`: what may be said of dependencies."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.config.errors import ConfigError
from castoff.config.load import load
from castoff.config.model import BuildTarget


def read(folder: Path, build: str) -> BuildTarget | None:
    path = folder / "castoff.toml"
    path.write_text(f"[apps.shop.build]\n{build}\n")
    return load(path).config.apps["shop"].build.target


@pytest.mark.parametrize(
    "good",
    [
        'target = { python = "3.12" }',
        'target = { python = "3.12.4", machine = "aarch64", glibc = "2.17" }',
        'target = { python = "3.13t" }',
        'target = { python = "3.14.1t", musl = "1.2" }',
        'target = { musl = "1.2" }',
        "target = {}",
    ],
)
def test_targets_that_can_be_built_for(tmp_path: Path, good: str) -> None:
    assert read(tmp_path, good) is not None


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ('target = { glibc = "2.5" }', '2: [apps.shop.build.target] glibc: must be "2.17" or a'),
        ('target = { glibc = "3" }', "glibc: must be"),
        ('target = { glibc = "2.28", musl = "1.2" }', "hosts have either 'glibc' or 'musl'"),
        ('target = { python = "cp312" }', 'python: must be a version of Python, such as "3.12"'),
        ('target = { python = "3.12t" }', "python: must be a version of Python"),
        ('target = { machine = "vax" }', "machine: must be 'x86_64' or 'aarch64'"),
        ('target = { musl = "2" }', "musl: must be a version of musl"),
        ('installer = "conda"', "installer: must be 'uv' or 'pip'"),
        ('prune = ["test"]', "prune"),
        ('prune = ["../*"]', "prune"),
        ('prune = ["/lib/*"]', "prune"),
    ],
)
def test_what_cannot_be_meant_is_told(tmp_path: Path, bad: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, bad)
    assert said in caught.value.message


def test_rules_of_pruning_are_words_or_globs(tmp_path: Path) -> None:
    path = tmp_path / "castoff.toml"
    path.write_text('[apps.shop.build]\nprune = ["tests", "docs", "caches", "a/*.dat", "a/b"]\n')
    assert load(path).config.apps["shop"].build.prune[-1] == "a/b"
