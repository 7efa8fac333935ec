"""A site with two versions in artifacts/, the first of them in the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.site import Site
from support.ssh_keys import make_key

CONFIG = """\
[apps.shop]

[signing]
key = "~/.ssh/id_ed25519"

[environments.production]
transport = "local"
root = "./hosts/{host}"
require_signature = true
[[environments.production.hosts]]
name = "web1"
"""


@pytest.fixture
def signed_site(tmp_path: Path) -> Site:
    """Return a site whose builds are signed, and whose environment wants that; nobody may yet."""
    site = Site(tmp_path / "site")
    make_key(site.home / ".ssh" / "id_ed25519")
    site.write({"castoff.toml": CONFIG, ".gitignore": "/artifacts/\n/hosts/\n"})
    site.stamp("1.0")
    return site


@pytest.fixture(scope="module")
def two_versions(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a site with 1.0 and 1.1 in artifacts/, unsigned, and 1.0 in the store too."""
    site = Site(tmp_path_factory.mktemp("insight") / "site")
    site.write({"castoff.toml": "[apps.shop]\n", ".gitignore": "/artifacts/\n"})
    site.publish("1.0", weight=40_000)
    (site.folder / "pages/00.txt").unlink()
    site.write({"new.txt": "new", "pages/01.txt": "changed"})
    site.commit("more")
    built = site.castoff("build", "--version", "1.1")
    assert built.code == 0, built.err
    return site
