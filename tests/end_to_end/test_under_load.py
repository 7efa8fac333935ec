"""Releases and rollbacks under constant load: no request fails, and no page mixes two versions.

wrk reads pages and their assets through one nginx that spreads them over four hosts, on each of
which nginx stands before gunicorn, set up as docs/how-to/zero-downtime.md says.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from support import paper
from support.fleet import Fleet
from support.fleet_fixtures import isolated
from support.load import PAUSE_MS, load
from support.site import Site

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(900)]

ALL = 'kind = "all"'
ROLLING = 'kind = "rolling", batch = "1"'
CANARY = 'kind = "canary", canary = ["web2"], soak = 0.5'
BLUE_GREEN = 'kind = "blue-green"'
BACK = ""


def serve_under_load(
    site: Site,
    fleet: Fleet,
    folder: Path,
    course: Sequence[tuple[str, str]],
    *,
    pause: int = PAUSE_MS,
) -> None:
    """Release to and roll back a fleet under load; `course` has a strategy and a version each."""
    if absent := paper.missing():
        pytest.skip(f"not installed: {absent}")
    isolated(fleet)
    paper.write_project(site)
    first_strategy, first = course[0]
    paper.write_config(site, fleet, first_strategy)
    for host in fleet.hosts:
        paper.start_nginx(host)
    for version in dict.fromkeys(version for _, version in course if version != BACK):
        paper.publish(site, version)
    begun = site.castoff("release", first)
    assert begun.code == 0, begun.err
    served = [first]
    with paper.balancer(folder / "balancer", fleet) as url, load(url, pause=pause) as seen:
        for strategy, version in course[1:]:
            paper.write_config(site, fleet, strategy)
            words = ("rollback",) if version == BACK else ("release", version)
            done = site.castoff(*words)
            assert done.code == 0, done.err
            served = served[:-1] if version == BACK else [*served, version]
            live = {host.read(f"{host.root}/paper/current/castoff.json") for host in fleet.hosts}
            assert len(live) == 1
            assert f'"version":"{served[-1]}"' in live.pop()
    assert (seen.failed, seen.mixed, seen.errors) == (0, 0, 0), seen
    assert seen.versions == {version for _, version in course if version != BACK}
    assert seen.pages > len(course) * 10
    assert seen.assets > len(course) * 10


def test_no_request_fails_while_each_strategy_releases_and_one_rolls_back(
    site: Site, fleet: Fleet, tmp_path: Path
) -> None:
    course = [(ALL, "1"), (ALL, "2"), (ROLLING, "3"), (CANARY, "4"), (ALL, BACK)]
    serve_under_load(site, fleet, tmp_path, course)


def test_no_request_fails_while_blue_green_releases_and_rolls_back(
    site: Site, fleet: Fleet, tmp_path: Path
) -> None:
    course = [(BLUE_GREEN, "1"), (BLUE_GREEN, "2"), (BLUE_GREEN, BACK)]
    serve_under_load(site, fleet, tmp_path, course)


@pytest.mark.sweep
@pytest.mark.parametrize("strategy", [ALL, ROLLING, CANARY, BLUE_GREEN])
def test_no_request_fails_over_ten_releases_and_three_rollbacks(
    site: Site, fleet: Fleet, tmp_path: Path, strategy: str
) -> None:
    releases = [(strategy, str(number)) for number in range(1, 12)]
    serve_under_load(site, fleet, tmp_path, [*releases, *[(strategy, BACK)] * 3], pause=20)
