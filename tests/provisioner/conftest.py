"""Bare hosts to provision."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.bare_hosts import bare_hosts
from support.provisioning import Provisioning, need_namespaces


@pytest.fixture
def bare(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, fleet_key: Path
) -> Iterator[Provisioning]:
    """Two hosts whose roots are copies of this machine's, as long as the test runs."""
    need_namespaces()
    with bare_hosts(tmp_path_factory.mktemp("bare"), ["web1", "web2"], fleet_key) as fleet:
        yield Provisioning(tmp_path, fleet)
