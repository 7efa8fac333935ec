"""What is committed between deployments, and the lock of each."""

from __future__ import annotations

import re
from pathlib import Path

from commit_work.application import BUMPS, LOCK, SMALL_LOCK, Application
from commit_work.changes import BUMP, FIRST, LINE, Change, series


def test_lines_come_before_bumps_and_each_is_a_version_of_its_own() -> None:
    assert list(series(2)) == [
        Change(FIRST, "1"),
        Change(LINE, "2"),
        Change(LINE, "3"),
        Change(BUMP, "4", 1),
        Change(BUMP, "5", 2),
    ]


def test_bumps_are_later_releases_than_that_of_the_lock_each_with_its_hashes() -> None:
    locks = [LOCK, *BUMPS]
    releases = [
        [int(part) for part in found.split(".")]
        for lock in locks
        for found in re.findall(r"^django==([0-9.]+)", lock, re.MULTILINE)
    ]
    assert len(releases) == len(locks)
    assert releases == sorted(releases)
    assert len({tuple(release) for release in releases}) == len(releases)
    assert all("--hash=sha256:" in bump for bump in BUMPS)


def test_a_bump_changes_the_lock_in_django_alone_and_is_fetched_by_its_tag(tmp_path: Path) -> None:
    application = Application(tmp_path / "it", small=True, assets="collectstatic = true\n")
    for change in (Change(FIRST, "1"), Change(BUMP, "2", 1)):
        application.publish(change)

    def lock(version: str) -> str:
        return application.site.git(
            "--git-dir", str(application.git), "show", f"v{version}:requirements.txt"
        )

    assert lock("1") == SMALL_LOCK
    assert lock("2").replace(BUMPS[0], "") == re.sub(
        r"^django==.*\n(?:    .*\n)+", "", SMALL_LOCK, flags=re.MULTILINE
    )
    assert BUMPS[0] in lock("2")
