"""Configuration files by the command line, on hosts reached by SSH."""

from __future__ import annotations

import shutil

import pytest

from support.fleet import FleetHost
from support.fleet_fixtures import MakeFleet
from support.pages import live, write_config
from support.site import Site

pytestmark = pytest.mark.fleet

FILES = """
[[environments.production.config]]
template = "deploy/settings.ini.j2"
path = "app/settings.ini"

[[environments.production.config]]
template = "deploy/pages.j2"
path = "ETC/pages.d/shop.conf"
mode = "0644"
owner = "nobody"
check = "grep -q ^peers= {file}"
"""
TEMPLATES = {
    "deploy/settings.ini.j2": "[{{ host.name }}]\nversion = {{ version }}\n",
    "deploy/pages.j2": (
        "peers={% for one in hosts %}{{ one.address }} {% endfor %}\n"
        "by={{ facts.user }} root={{ root }}\nversion={{ version }}\n"
    ),
}


def test_files_come_and_go_with_releases_on_hosts(site: Site, make_fleet: MakeFleet) -> None:
    if shutil.which("sudo") is None:
        pytest.skip("sudo is not installed")
    fleet = make_fleet(2)
    if not fleet.isolated:
        pytest.skip("hosts need users of their own")
    etc = f"{fleet.hosts[0].root}/etc"
    for host in fleet.hosts:
        host.add_user("deploy", sudo="ALL=(root) NOPASSWD: ALL")
        host.run(f"install -d -m 755 {etc}; install -d -o deploy {host.root}/pages")

    def outside(host: FleetHost) -> str:
        path = host.path(f"{etc}/pages.d/shop.conf")
        return path.read_text() if path.exists() else "-"

    write_config(site, fleet, steps=FILES.replace("ETC", etc))
    config = site.folder / "castoff.toml"
    config.write_text(config.read_text().replace('user = "root"', 'user = "deploy"'))
    site.publish("0.9")
    site.write(TEMPLATES)
    site.publish("1.0")

    refused = site.castoff("release", "1.0")
    assert refused.code == 12
    assert "shop.conf cannot be given to nobody: by user deploy" in refused.err
    config.write_text(
        config.read_text().replace("keep = 3", "keep = 3\nsudo = true").replace("nobody", "daemon")
    )

    plan = site.castoff("plan", "1.0")
    assert plan.code == 0, plan.err
    peers = " ".join(host.address for host in fleet.hosts)
    assert f"shop.conf (new) on {fleet.hosts[0].name}, {fleet.hosts[1].name}:\n" in plan.out
    assert f"\n    +peers={peers} \n" in plan.out
    done = site.castoff("release", "1.0")
    assert done.code == 0, done.err
    for host in fleet.hosts:
        settings = host.read(f"{host.root}/pages/current/app/settings.ini")
        assert settings == f"[{host.name}]\nversion = 1.0\n"
        root = f"{host.root}/pages"
        assert outside(host) == f"peers={peers} \nby=root root={root}\nversion=1.0\n"
        assert host.path(f"{etc}/pages.d/shop.conf").owner() == "daemon"

    site.write({"deploy/pages.j2": "nothing\n"})
    site.publish("1.1")
    stopped = site.castoff("release", "1.1")
    assert stopped.code == 13
    assert "the check of " in stopped.err
    assert set(live(fleet).values()) == {"1.0"}

    fleet.hosts[1].path(f"{etc}/pages.d/shop.conf").write_text("by hand\n")
    status = site.castoff("status")
    assert status.code == 18
    assert "pages.d/shop.conf" in status.out
    assert "by hand" in site.castoff("plan", "1.0").out
    back = site.castoff("rollback", "0.9")
    assert back.code == 0, back.err
    assert "is kept in" in back.err
    assert [outside(host) for host in fleet.hosts] == ["-", "-"]
