"""Fixtures that give a test real SSH servers. They start in a fraction of a second."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from support import fleet_loopback, fleet_namespaces
from support.fleet import Fleet, make_key


class MakeFleet(Protocol):
    """Starts fleets that end with the test."""

    def __call__(self, count: int = 4, *, disk: str = "512m") -> Fleet:
        """Start hosts `web1` to `web<count>`, each with a disk of that size."""


def isolated(fleet: Fleet) -> Fleet:
    """Return a fleet, unless its hosts share their address: then the test is skipped."""
    if not fleet.isolated:
        pytest.skip("each host needs an address of its own (root and network namespaces)")
    return fleet


@pytest.fixture(scope="session")
def fleet_key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a private key that logs in to all hosts of all fleets."""
    path = tmp_path_factory.mktemp("key") / "id_ed25519"
    make_key(path)
    return path


@pytest.fixture(scope="session")
def fleet_kind() -> str:
    """Return `namespaces` or `loopback`; skip where there can be no SSH server at all."""
    if not fleet_namespaces.missing():
        return "namespaces"
    if reason := fleet_loopback.missing():
        pytest.skip(f"no SSH servers: {reason}")
    return "loopback"


@pytest.fixture
def make_fleet(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest, fleet_kind: str
) -> Iterator[MakeFleet]:
    """Start as many hosts as a test asks for."""
    key: Path = request.getfixturevalue("fleet_key")
    with contextlib.ExitStack() as stack:

        def make(count: int = 4, *, disk: str = "512m") -> Fleet:
            names = [f"web{number}" for number in range(1, count + 1)]
            directory = tmp_path_factory.mktemp("fleet")
            if fleet_kind == "namespaces":
                run = fleet_namespaces.fleet_in_namespaces(directory, names, key, disk=disk)
            else:
                run = fleet_loopback.fleet_on_loopback(directory, names, key)
            return stack.enter_context(run)

        yield make


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> Fleet:
    """Four hosts, new for each test."""
    return make_fleet(4)
