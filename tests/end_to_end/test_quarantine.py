"""Releases that go on without hosts, on real SSH servers: a pulled cable, a host that was off."""

from __future__ import annotations

import pytest

from support.fleet import Fleet
from support.pages import STEPS, live, log, write_config
from support.site import Site

pytestmark = pytest.mark.fleet

MORE = """
limits = { connect = 4 }
retries = { connect = 1, wait = 0.2 }

[environments.production.stragglers]
policy = "quarantine"
quorum = "75%"
drain = "echo off $CASTOFF_HOST >> balancer"
restore = "echo on $CASTOFF_HOST >> balancer"
"""
OFF = """
[[environments.production.steps]]
name = "off"
moment = "quarantine"
command = 'echo "off in $CASTOFF_VERSION" >> "$CASTOFF_SHARED/log"'

[[environments.production.steps]]
name = "room"
moment = "prepare"
command = 'test ! -e "$CASTOFF_SHARED/full"'
"""


def test_a_host_whose_cable_is_pulled_is_left_out_seen_everywhere_and_converges(
    site: Site, serving: Fleet
) -> None:
    write_config(site, serving, more=MORE)
    site.publish("1.0")
    assert site.castoff("release", "1.0").code == 0
    site.publish("2.0")
    web1 = serving.hosts[0]
    web1.cut()

    plan = site.castoff("plan", "2.0")
    assert plan.code == 0, plan.err
    assert "would be left out: web1" in plan.out
    assert "migrate on web2" in plan.out

    released = site.castoff("release", "2.0")
    assert released.code == 0, released.err
    assert "connect is tried again in" in released.err
    assert "web1 is left out: " in released.err
    assert "2.0 is live on 3 of 4 hosts of production" in released.out
    assert "IN QUARANTINE: web1, since 20" in released.out
    assert live(serving) == {"web1": "1.0", "web2": "2.0", "web3": "2.0", "web4": "2.0"}
    assert "migrate 2.0 on web2" in log(serving.hosts[1])

    status = site.castoff("status")
    assert status.code == 18
    assert "QUARANTINE since 20" in status.out
    assert "released (in quarantine: web1)" in site.castoff("history").out
    entry = site.castoff("history", "2", "--json").json
    assert [one["name"] for one in entry["quarantined"]] == ["web1"]
    assert "In quarantine" in site.castoff("report", "2", "--output", "-").out

    away = site.castoff("converge", "--json")
    assert away.code == 10
    assert [one["name"] for one in away.json["quarantined"]] == ["web1"]

    web1.heal()
    back = site.castoff("converge")
    assert back.code == 0, back.err
    assert "2.0 is live on web1, as everywhere in production" in back.out
    assert live(serving) == dict.fromkeys(("web1", "web2", "web3", "web4"), "2.0")
    assert [line for line in log(web1) if "2.0" in line] == ["restart 2.0"]
    assert (site.folder / "balancer").read_text().splitlines() == ["off web1", "on web1"]
    assert site.castoff("status").code == 0
    assert "nothing to do" in site.castoff("converge").out


def test_a_host_that_cannot_prepare_is_drained_and_taken_along_by_the_next_release(
    site: Site, serving: Fleet
) -> None:
    write_config(site, serving, more=MORE, steps=STEPS + OFF)
    site.publish("1.0")
    assert site.castoff("release", "1.0").code == 0
    site.publish("2.0")
    web4 = serving.hosts[3]
    full = web4.path(f"{web4.root}/pages") / "shared" / "full"
    full.touch()

    released = site.castoff("release", "2.0", "--json")
    assert released.code == 0, released.err
    (noted,) = released.json["quarantined"]
    assert noted["name"] == "web4"
    assert "step 'room' failed" in noted["why"]
    assert live(serving)["web4"] == "1.0"
    assert log(web4)[-1] == "off in 1.0"

    full.unlink()
    site.publish("3.0")
    assert site.castoff("release", "3.0").code == 0
    assert set(live(serving).values()) == {"3.0"}
    assert site.castoff("status").code == 0


def test_too_many_that_are_away_stop_the_release_with_the_quorum_named(
    site: Site, serving: Fleet
) -> None:
    write_config(site, serving, more=MORE)
    site.publish("1.0")
    assert site.castoff("release", "1.0").code == 0
    site.publish("2.0")
    for host in serving.hosts[:2]:
        host.cut()

    stopped = site.castoff("release", "2.0")

    assert stopped.code == 10
    assert "2 of 4 hosts can take part, and the quorum is 3" in stopped.err
    assert set(live(serving).values()) == {"1.0"}
    plan = site.castoff("plan", "2.0")
    assert (plan.code, "the quorum is 3" in plan.err) == (10, True)
