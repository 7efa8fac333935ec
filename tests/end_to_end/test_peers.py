"""Hosts of one zone, each with an address of its own, and a store whose bytes are counted."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from support import s3
from support.fleet import Fleet
from support.fleet_fixtures import MakeFleet
from support.forward import forwarded
from support.pages import live, write_config
from support.site import Site

pytestmark = pytest.mark.fleet

WEIGHT = 1_500_000
TRANSFER = "[environments.production.transfer]\npeers = true"


@contextlib.contextmanager
def counted_store(site: Site, fleet: Fleet, endpoint: str, more: str = "") -> Iterator[list[int]]:
    """Let a site have a bucket that hosts reach by URL; yield the sizes of what that sends."""
    sent: list[int] = []
    bucket = s3.make_bucket(endpoint)
    site.variables.update(s3.ENVIRONMENT)
    port = urlsplit(endpoint).port or 80
    with forwarded(fleet.gateway, port, on_answer=lambda data: sent.append(len(data))) as way:
        store = f'[store]\nurl = "s3://{bucket}"\nendpoint_url = "http://{fleet.gateway}:{way}"\n'
        write_config(site, fleet, store=store, steps="", more=more)
        path = site.folder / "castoff.toml"
        hosts = "[[environments.production.hosts]]"
        text = path.read_text().replace(hosts, f'{hosts}\nzone = "rack"')
        path.write_text(f"{text}\n{TRANSFER}\n")
        yield sent


def change(site: Site, version: str) -> None:
    """Publish a version in which some pages are others: the least that a patch can be is these."""
    noise = random.Random(version)
    site.write({f"pages/{n:02}.txt": f"{noise.randbytes(25_000).hex()}\n" for n in range(0, 40, 3)})
    site.commit(version)
    for words in (("build", "--version", version), ("push", version)):
        outcome = site.castoff(*words)
        assert outcome.code == 0, outcome.err


def test_the_store_sends_each_byte_into_a_zone_once(
    site: Site, make_fleet: MakeFleet, moto_url: str
) -> None:
    fleet = make_fleet(3)
    if not fleet.isolated:
        pytest.skip("hosts need a network of their own")
    with counted_store(site, fleet, moto_url) as sent:
        for version in ("1.0", "2.0"):
            site.publish(version, weight=WEIGHT)

        del sent[:]
        released = site.castoff("release", "1.0", "--json")
        assert released.code == 0, released.err
        together = sum(sent)

        del sent[:]
        alone = site.castoff("release", "2.0", "--no-peers", "--json")
        assert alone.code == 0, alone.err
        each = sum(sent)

        change(site, "3.0")
        del sent[:]
        patched = site.castoff("release", "3.0", "--json")
        assert patched.code == 0, patched.err
        once = sum(sent)

    assert set(live(fleet).values()) == {"3.0"}
    fetched = [host["fetched"] for host in released.json["hosts"]]
    size = fetched[0]["archive"]
    assert fetched[0] == {"archive": size}
    assert all(set(ways) == {"peer"} for ways in fetched[1:])
    # Beside the archive there are manifests, tables, channel, history and the lease.
    assert size <= together < 1.5 * size
    assert each >= 3 * size
    fetched = [host["fetched"] for host in patched.json["hosts"]]
    size = fetched[0]["patch"]
    assert fetched == [{"patch": size}, *[{"patch": 0, "peer": size}] * 2]
    assert size <= once < 2 * size


# The controller gives the dead host up after most of a minute.
@pytest.mark.sweep
def test_a_peer_that_loses_its_power_costs_the_others_the_store(
    site: Site, make_fleet: MakeFleet, moto_url: str
) -> None:
    fleet = make_fleet(3)
    if not fleet.isolated:
        pytest.skip("hosts need a network of their own")
    first, *others = fleet.hosts
    leave_out = '[environments.production.stragglers]\npolicy = "quarantine"\nquorum = "2"\n'
    with counted_store(site, fleet, moto_url, leave_out) as sent:
        site.publish("1.0", weight=WEIGHT)
        first.slow("2mbit")
        release = site.start("release", "1.0", "--json")
        spool = first.path(f"{first.root}/pages/.castoff/staging")
        _until(lambda: any(path.stat().st_blocks > 200 for path in spool.glob("archive.*")))
        del sent[:]
        first.kill()
        out, err = release.communicate(timeout=200)
        assert release.returncode == 0, err
    assert {host.name for host in others} == {name for name, v in live(fleet).items() if v}
    assert '"peer"' in out
    assert sum(sent) > 200_000, "what the dead one had not given"


def _until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.02)
