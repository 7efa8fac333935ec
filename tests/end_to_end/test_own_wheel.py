"""A project with a wheel of its own on real hosts: releases share all that the lock names.

The first release is as builds made them when the project's wheel lay among its dependencies.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.archives import Content
from support.fleet import Fleet
from support.fleet_fixtures import MakeFleet
from support.local_index import Index, local_index, wheel
from support.own_wheel import own_project
from support.pages import live, write_config
from support.site import Site
from support.written_artifact import write_artifact

pytestmark = pytest.mark.fleet

SAY = "import os, dep\n\n\ndef run():\n    print(f'{VERSION} {dep.WORD}')\n"
MADE = wheel("dep", "1.0", {"dep/__init__.py": "WORD = 'dep'\n"})
OLD: dict[str, Content] = {
    "lib/dep/__init__.py": b"WORD = 'dep'\n",
    "lib/dep-1.0.dist-info/RECORD": b"",
    "lib/pages/__init__.py": b"",
    "lib/pages-2.0.dist-info/RECORD": b"",
    "bin/say": (
        b'#!/bin/sh\nPYTHONPATH=${0%/*}/../lib exec python3 -Bc "import dep, pages"\n',
        True,
    ),
}


@pytest.fixture
def index() -> Iterator[Index]:
    with local_index(MADE) as started:
        yield started


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> Fleet:
    return make_fleet(2)


def test_the_second_release_shares_what_the_first_one_brought(
    index: Index, fleet: Fleet, tmp_path: Path
) -> None:
    site = Site(tmp_path / "site")
    site.variables.update(index.environment(site.home))
    site.write({".gitignore": "/artifacts/\n"})
    write_config(site, fleet, steps="")

    def castoff(*words: str) -> None:
        done = site.castoff(*words)
        assert done.code == 0, done.err

    def libs(version: str) -> list[Path]:
        return [host.path(f"{host.root}/pages/releases/{version}/lib") for host in fleet.hosts]

    def say(version: str) -> set[str]:
        command = f"pages/releases/{version}/bin/say"
        return {host.run(f"{host.root}/{command}").stdout.strip() for host in fleet.hosts}

    write_artifact(site.folder / "artifacts", "pages", "1.0", OLD)
    castoff("push", "1.0")
    castoff("release", "1.0")
    assert not any(lib.is_symlink() for lib in libs("1.0"))
    for version in ("2.0", "3.0"):
        files = {"pages/__init__.py": f"VERSION = '{version}'\n{SAY}"}
        own = own_project("pages", files, scripts="say = pages:run", requires="dep")
        site.write({**own, "requirements.txt": index.requirement(MADE[0])})
        site.commit(version)
        castoff("build", "--version", version)
        castoff("push", version)
        castoff("release", version)
        assert say(version) == {f"{version} dep"}
    for one, other in zip(libs("2.0"), libs("3.0"), strict=True):
        assert one.is_symlink()
        assert one.readlink() == other.readlink()
        assert not (one.parent / "project").is_symlink()
    for host in fleet.hosts:
        assert len(list(host.path(f"{host.root}/pages/layers").iterdir())) == 1

    castoff("rollback", "2.0")
    assert say("2.0") == {"2.0 dep"}
    castoff("rollback", "1.0")
    assert live(fleet) == {"web1": "1.0", "web2": "1.0"}
    assert say("1.0") == {""}
    castoff("verify", "--env", "production")
    castoff("release", "3.0")
    assert say("3.0") == {"3.0 dep"}
