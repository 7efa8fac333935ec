"""The main job on real SSH servers: build, push, release, roll back."""

from __future__ import annotations

import pytest

from support.fleet import Fleet
from support.pages import live, log, url, write_config
from support.poller import Poller
from support.site import PAGES, Site

pytestmark = pytest.mark.fleet


def test_a_release_and_a_rollback_reach_every_host(site: Site, serving: Fleet) -> None:
    write_config(site, serving)
    for version in ("1.0", "2.0"):
        site.publish(version)
        released = site.castoff("release", version)
        assert released.code == 0, released.err
        assert set(live(serving).values()) == {version}

    back = site.castoff("rollback")
    assert back.code == 0, back.err
    assert set(live(serving).values()) == {"1.0"}

    status = site.castoff("status", "--json")
    assert status.code == 0
    assert status.json["agrees"] is True
    assert status.json["current"] == "1.0"
    history = site.castoff("history", "--json").json
    assert [(entry["kind"], entry["version"], entry["outcome"]) for entry in history] == [
        ("rollback", "1.0", "released"),
        ("release", "2.0", "released"),
        ("release", "1.0", "released"),
    ]


def test_once_only_steps_run_on_the_leader_alone_and_not_on_a_rollback(
    site: Site, serving: Fleet
) -> None:
    write_config(site, serving)
    site.publish("1.0")
    site.publish("2.0")
    for words in (("release", "1.0"), ("release", "2.0"), ("rollback",)):
        assert site.castoff(*words).code == 0
    leader, *others = serving.hosts
    assert log(leader) == [
        "backup 1.0",
        "migrate 1.0 on web1",
        "restart 1.0",
        "backup 2.0",
        "migrate 2.0 on web1",
        "restart 2.0",
        "restart 1.0",
    ]
    for host in others:
        assert log(host) == ["restart 1.0", "restart 2.0", "restart 1.0"]


def test_a_slow_host_never_serves_partial_code_and_none_serves_early(
    site: Site, serving: Fleet
) -> None:
    write_config(site, serving)
    site.publish("1.0", weight=1_000_000)
    assert site.castoff("release", "1.0").code == 0
    site.publish("2.0", weight=1_000_000)
    slow = serving.hosts[-1]
    slow.slow("2mbit")
    with Poller({host.name: url(host) for host in serving.hosts}) as poller:
        released = site.castoff("release", "2.0", "--json")
    assert released.code == 0, released.err

    for host in serving.hosts:
        answers = poller.of(host.name)
        assert not [answer.error for answer in answers if answer.error]
        seen = [answer.stamps for answer in answers]
        assert set(seen) == {("1.0",), ("2.0",)}, "whole, old or new, and both were seen"
        assert {answer.pages for answer in answers} == {PAGES}
        assert sorted(seen) == seen, "no host goes back to the old version"

    steps = {
        (row["name"], step["name"]): step for row in released.json["hosts"] for step in row["steps"]
    }
    all_prepared = max(
        step["started"] + step["seconds"] for (_, name), step in steps.items() if name == "prepare"
    )
    first_flip = min(step["started"] for (_, name), step in steps.items() if name == "flip")
    assert all_prepared <= first_flip
    prepared = {host: step["seconds"] for (host, name), step in steps.items() if name == "prepare"}
    assert max(prepared, key=lambda host: prepared[host]) == slow.name


def test_prepare_and_activate_are_the_two_halves_of_a_release(site: Site, serving: Fleet) -> None:
    write_config(site, serving)
    site.publish("1.0")
    early = site.castoff("activate", "1.0")
    assert early.code == 13
    assert "castoff prepare 1.0" in early.err

    prepared = site.castoff("prepare", "1.0")
    assert prepared.code == 0, prepared.err
    assert set(live(serving).values()) == {None}
    assert log(serving.hosts[0]) == []

    activated = site.castoff("activate", "1.0")
    assert activated.code == 0, activated.err
    assert set(live(serving).values()) == {"1.0"}


def test_a_plan_names_what_each_host_would_do_and_changes_nothing(
    site: Site, serving: Fleet
) -> None:
    write_config(site, serving)
    site.publish("1.0")
    plan = site.castoff("plan", "1.0", "--json")
    assert plan.code == 0, plan.err
    assert [host["name"] for host in plan.json["hosts"]] == ["web1", "web2", "web3", "web4"]
    assert all(host["fetch"] > 0 for host in plan.json["hosts"])
    assert plan.json["once"] == [["backup", "backup", "web1"], ["once", "migrate", "web1"]]
    for host in serving.hosts:
        assert not host.path(f"{host.root}/pages").exists()

    assert site.castoff("release", "1.0").code == 0
    again = site.castoff("plan", "1.0", "--json").json
    assert all(host["fetch"] == 0 and host["current"] == "1.0" for host in again["hosts"])


def test_old_releases_leave_the_hosts_but_never_the_one_to_go_back_to(
    site: Site, serving: Fleet
) -> None:
    write_config(site, serving)
    for version in ("1", "2", "3", "4", "5"):
        site.publish(version)
        assert site.castoff("release", version).code == 0
    for host in serving.hosts:
        kept = sorted(path.name for path in host.path(f"{host.root}/pages/releases").iterdir())
        assert kept == ["3", "4", "5"]
