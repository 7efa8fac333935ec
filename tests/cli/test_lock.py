"""castoff lock: one name for two locks, which never take each other's options."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.site import Site

CONFIG = """\
[apps.pages]

[environments.production]
transport = "local"

[[environments.production.hosts]]
name = "here"
root = "./hosts/here"
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path / "site")
    made.write({"castoff.toml": CONFIG})
    return made


def test_without_a_reason_dependencies_are_locked(site: Site) -> None:
    site.write({"requirements.in": "# nothing yet\n"})
    missing = site.castoff("lock", "--check")
    assert missing.code == 21
    assert "castoff lock" in missing.err
    made = site.castoff("lock")
    assert (made.code, made.out) == (0, "wrote requirements.txt: commit it\n")
    again = site.castoff("lock", "--check")
    assert (again.code, again.out) == (0, "requirements.txt is up to date\n")


def test_with_a_reason_an_environment_is_frozen(site: Site) -> None:
    frozen = site.castoff("lock", "--reason", "stocktaking")
    assert (frozen.code, frozen.out) == (0, "production of pages is frozen: stocktaking\n")
    assert site.castoff("unlock").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--env", "production"), "--env belongs to a freeze"),
        (("--reason", "x", "--check"), "--check belongs to the lock of dependencies"),
        (("--reason", "x", "--upgrade"), "--upgrade belongs to the lock of dependencies"),
        (("--upgrade", "--check"), "--upgrade writes, and --check writes nothing"),
    ],
)
def test_options_of_the_other_meaning_are_refused(
    site: Site, words: tuple[str, ...], said: str
) -> None:
    refused = site.castoff("lock", *words)
    assert refused.code == 2
    assert said in refused.err
