"""The maintenance page before readers, hosts out of their load balancer, and whose paths are."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field

import pytest

from support import paper
from support.fleet import Fleet, FleetHost
from support.fleet_fixtures import MakeFleet, isolated
from support.how_to import blocks
from support.pages import STEPS, live, serve, write_config
from support.site import Site

pytestmark = pytest.mark.fleet

PAGE = "how-to/maintenance.md"


@pytest.fixture
def two(make_fleet: MakeFleet) -> Fleet:
    """Return two hosts on which nginx stands before the pages' server."""
    if absent := paper.missing():
        pytest.skip(f"not installed: {absent}")
    fleet = isolated(make_fleet(2))
    for host in fleet.hosts:
        serve(host)
        folder = host.path("/srv/nginx")
        (folder / "logs").mkdir(parents=True)
        (folder / "nginx.conf").write_text(paper._nginx("/srv/nginx", blocks(PAGE, "nginx")[0]))
        host.run("nginx -p /srv/nginx -c /srv/nginx/nginx.conf")
    return fleet


def get(host: FleetHost) -> tuple[int, str, str | None]:
    """Return the status, the body and how long nginx says to wait."""
    try:
        with urllib.request.urlopen(f"http://{host.address}/", timeout=5) as response:
            return response.status, response.read().decode(), None
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers["Retry-After"]


@dataclass
class Reader:
    """Asks all hosts all the time while the context lasts."""

    fleet: Fleet
    statuses: list[int] = field(default_factory=list)
    bodies: set[str] = field(default_factory=set)

    def __enter__(self) -> Reader:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _read(self) -> None:
        while not self._stop.is_set():
            for host in self.fleet.hosts:
                status, body, _ = get(host)
                self.statuses.append(status)
                self.bodies.add(body)
            self._stop.wait(0.03)


def test_the_page_is_switched_on_and_off_before_readers(site: Site, two: Fleet) -> None:
    write_config(site, two)
    site.publish("1.0")
    assert site.castoff("release", "1.0").code == 0
    with Reader(two) as reader:
        on = site.castoff("maintenance", "on", "--message", "Back at <ten>.", "-m", "new disks")
        assert on.code == 0, on.err
        assert "on 2 hosts of production" in on.out
        for host in two.hosts:
            status, body, wait = get(host)
            assert (status, wait) == (503, "60")
            assert "Back at &lt;ten&gt;." in body
        seen = site.castoff("status")
        assert seen.code == 18, "while it is on, nobody serves what the record says"
        assert seen.out.count("MAINTENANCE") == 2
        released = site.castoff("release", "1.0")
        assert "the maintenance page is on and stays on (web1, web2)" in released.err
        assert get(two.hosts[0])[0] == 503
        assert site.castoff("maintenance", "off").code == 0
        assert [get(host)[0] for host in two.hosts] == [200, 200]
    assert set(reader.statuses) == {200, 503}
    assert len(reader.bodies) == 2, "the app's answer or the whole page, nothing else"
    told = site.castoff("history").out
    assert "maintenance on" in told
    assert "new disks" in told

    two.hosts[1].cut()
    lost = site.castoff("maintenance", "on")
    assert lost.code == 10, lost.err
    assert "--except web2" in lost.err
    assert get(two.hosts[0])[0] == 200
    some = site.castoff("maintenance", "on", "--except", "web2")
    assert some.code == 0, some.err
    assert get(two.hosts[0])[0] == 503


def test_a_release_with_the_page_shows_it_from_migration_to_health(site: Site, two: Fleet) -> None:
    slow = STEPS.replace("""command = 'echo "migrate""", """command = 'sleep 1; echo "migrate""")
    bad = """
[[environments.production.steps]]
name = "smoke"
moment = "after_activate"
command = 'test "$CASTOFF_HOST$CASTOFF_VERSION" != web23.0'
"""
    write_config(site, two, steps=slow + bad, more='maintenance_page = "down.html"')
    site.write({"down.html": "<h1>ours</h1>"})
    site.publish("1.0")
    assert site.castoff("release", "1.0").code == 0
    for version in ("2.0", "3.0"):
        site.publish(version)
    with Reader(two) as reader:
        good = site.castoff("release", "2.0", "--maintenance")
        assert good.code == 0, good.err
        assert [get(host)[0] for host in two.hosts] == [200, 200]
    assert set(reader.statuses) == {200, 503}
    assert "<h1>ours</h1>" in reader.bodies

    failed = site.castoff("release", "3.0", "--maintenance")
    assert failed.code == 15, failed.err
    assert [get(host)[0] for host in two.hosts] == [200, 200]
    stays = site.castoff("release", "3.0", "--maintenance", "--stay-in-maintenance")
    assert stays.code == 15, stays.err
    assert [get(host)[0] for host in two.hosts] == [503, 503]
    assert site.castoff("release", "2.0", "--stay-in-maintenance").code == 2


def test_hosts_are_taken_from_the_load_balancer_and_put_back_from_here(
    site: Site, two: Fleet
) -> None:
    _, steps = blocks(PAGE, "toml")
    bad = """
[[environments.production.steps]]
name = "smoke"
moment = "activate"
command = 'test "$CASTOFF_HOST$CASTOFF_VERSION" != web22.0'
"""
    write_config(site, two, steps=bad + steps, more='strategy = { kind = "rolling" }')
    site.write({"balancer": '#!/bin/sh\necho "$1 $2 $CASTOFF_HOST $CASTOFF_VERSION" >> said\n'})
    (site.folder / "balancer").chmod(0o755)
    site.publish("1.0")
    assert site.castoff("release", "1.0").code == 0
    site.publish("2.0")
    said = site.folder / "said"
    said.unlink()
    failed = site.castoff("release", "2.0")
    assert failed.code == 15, failed.err
    assert set(live(two).values()) == {"1.0"}
    one, other = (host.address for host in two.hosts)
    lines = said.read_text().splitlines()
    # The gate between two groups asks the first one's after_activate steps once more.
    assert lines[:4] == [
        f"deregister {one} web1 2.0",
        f"register {one} web1 2.0",
        f"register {one} web1 2.0",
        f"deregister {other} web2 2.0",
    ]
    assert sorted(lines[4:]) == [f"register {one} web1 1.0", f"register {other} web2 1.0"]


def test_preflight_finds_what_could_not_be_given_to_its_owner(site: Site, two: Fleet) -> None:
    for host in two.hosts:
        host.add_user("deploy")
        host.run("install -d -o deploy /srv/pages")
    write_config(site, two)
    text = (site.folder / "castoff.toml").read_text().replace('user = "root"', 'user = "deploy"')
    shared = 'shared = [{ path = "app/media/", mode = "2775", owner = "nobody" }]'
    site.write({"castoff.toml": text.replace("[apps.pages]", f"[apps.pages]\n{shared}")})
    site.publish("1.0")
    for words in (("preflight",), ("release", "1.0")):
        refused = site.castoff(*words)
        said = refused.out + refused.err
        assert refused.code == 12, said
        assert "sudo install -d -m 2775 -o nobody /srv/pages/shared/app/media" in said
    for host in two.hosts:
        host.run("install -d -m 2775 -o nobody /srv/pages/shared/app/media")
    done = site.castoff("release", "1.0")
    assert done.code == 0, done.err

    two.hosts[0].run("chmod 755 /srv/pages/shared/app/media")
    noted = site.castoff("release", "1.0")
    assert noted.code == 0, noted.err
    assert "web1: shared/app/media had mode 2755, not 2775; on the host: sudo chown nobody" in (
        noted.err
    )
