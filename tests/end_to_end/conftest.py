"""A site to release and the hosts to release it to."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.fleet import Fleet
from support.pages import serve
from support.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return an empty project."""
    return Site(tmp_path / "site")


@pytest.fixture
def serving(fleet: Fleet) -> Fleet:
    """Return four hosts on which the pages' server runs."""
    if not fleet.isolated:
        pytest.skip("each host needs an address of its own (root and network namespaces)")
    for host in fleet.hosts:
        serve(host)
    return fleet
