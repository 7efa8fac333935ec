"""A site to release and the hosts to release it to."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.fleet import Fleet
from support.fleet_fixtures import MakeFleet, isolated
from support.pages import serve
from support.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return an empty project."""
    return Site(tmp_path / "site")


@pytest.fixture
def serving(fleet: Fleet) -> Fleet:
    """Return four hosts on which the pages' server runs."""
    isolated(fleet)
    for host in fleet.hosts:
        serve(host)
    return fleet


@pytest.fixture
def rack(make_fleet: MakeFleet) -> Fleet:
    """Return three hosts, each with an address of its own."""
    return isolated(make_fleet(3))
