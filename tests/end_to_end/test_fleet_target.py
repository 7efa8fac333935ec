"""A release for other hosts than these is refused by each of them before it fetches anything."""

from __future__ import annotations

import pytest

from support.fleet import Fleet
from support.local_index import local_index, wheel
from support.pages import write_config
from support.site import Site

pytestmark = pytest.mark.fleet

FAST = wheel("fast", "2.0", {"fast.py": ""}, tag="cp312-cp312-musllinux_1_2_x86_64")
TARGET = 'target = { python = "3.12", machine = "x86_64", musl = "1.2" }'


def test_hosts_without_musl_refuse_what_was_built_for_it(site: Site, serving: Fleet) -> None:
    write_config(site, serving)
    config = site.folder / "castoff.toml"
    before, exclude, after = config.read_text().partition('exclude = ["castoff.toml"]')
    config.write_text(f"{before}{exclude}, {TARGET}{after}")
    with local_index(FAST) as index:
        site.variables.update(index.environment(site.home))
        site.write({"requirements.txt": index.requirement(FAST[0])})
        site.publish("1.0")
    assert "musl 1.2 or newer" in site.castoff("inspect", "1.0").out

    refused = site.castoff("release", "1.0")

    assert refused.code == 12
    assert "the release needs musl 1.2, this host has glibc" in refused.err + refused.out
    for host in serving.hosts:
        assert host.run("ls /srv/pages/releases", check=False).stdout == ""
