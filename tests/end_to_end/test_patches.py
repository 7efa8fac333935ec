"""A changed line reaches a real host by a patch, and by parts of the archive where that fails."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from support.fleet import Fleet
from support.fleet_fixtures import MakeFleet
from support.pages import live, write_config
from support.site import Site

pytestmark = [
    pytest.mark.fleet,
    pytest.mark.skipif(shutil.which("zstd") is None, reason="needs zstd (Debian package zstd)"),
]

_NOISE = random.Random(7)
LINES = [f"{_NOISE.randbytes(30).hex()}\n" for _ in range(4000)]


def publish(site: Site, version: str) -> str:
    """Build and push a version whose one file differs from all others' in one line."""
    lines = [*LINES[:2000], f"this is {version}\n", *LINES[2000:]]
    site.write({"data.txt": "".join(lines)})
    site.commit(version)
    built = site.castoff("build", "--version", version)
    assert built.code == 0, built.err
    pushed = site.castoff("push", version)
    assert pushed.code == 0, pushed.err
    return pushed.out


@pytest.fixture
def host(site: Site, make_fleet: MakeFleet) -> Fleet:
    fleet = make_fleet(1)
    site.write({".gitignore": "/artifacts/\n"})
    write_config(site, fleet, steps="")
    return fleet


def patch_files(site: Site, version: str) -> list[Path]:
    folder = site.folder / f"artifacts/store/pages/artifacts/{version}/patches"
    return list(folder.glob("*.zst"))


def test_a_changed_line_comes_by_patch(site: Site, host: Fleet) -> None:
    assert "patch" not in publish(site, "1.0")
    assert site.castoff("release", "1.0").code == 0
    assert "patch from 1.0: " in publish(site, "2.0")

    plan = site.castoff("plan", "2.0")
    assert plan.code == 0, plan.err
    assert "by patch" in plan.out
    released = site.castoff("release", "2.0")
    assert released.code == 0, released.err
    assert "fetched by patch: web1" in released.out + released.err
    assert live(host) == {"web1": "2.0"}
    assert site.castoff("verify", "--env", "production").code == 0

    kept = site.castoff("history", "--json").json[0]["hosts"][0]["fetched"]
    (blob,) = patch_files(site, "2.0")
    assert kept == {"patch": blob.stat().st_size}
    assert kept["patch"] < 1000

    # Damaged in the store: nobody but the report notices.
    assert "patch from 2.0: " in publish(site, "3.0")
    for path in patch_files(site, "3.0"):
        data = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(data[:-4] + b"oops")
    again = site.castoff("release", "3.0")
    assert again.code == 0, again.err
    assert "was of no use" in again.out + again.err
    assert live(host) == {"web1": "3.0"}
    assert site.castoff("verify", "--env", "production").code == 0
    ways = site.castoff("history", "--json").json[0]["hosts"][0]["fetched"]
    assert set(ways) & {"ranges", "archive"}
