"""What is seen of real hosts: drift and its mend, pruning, locks and plans, by the command line."""

from __future__ import annotations

import pytest

from support.fleet import Fleet
from support.pages import live, write_config
from support.site import Site

pytestmark = pytest.mark.fleet

RELEASE = "/srv/pages/releases"


@pytest.fixture
def released(site: Site, serving: Fleet) -> Fleet:
    """Return hosts that serve 2.0 and have 1.0."""
    write_config(site, serving)
    for version in ("1.0", "2.0"):
        site.publish(version)
        assert site.castoff("release", version).code == 0
    return serving


def test_drift_is_seen_read_and_mended_while_the_host_serves(site: Site, released: Fleet) -> None:
    assert site.castoff("status").code == 0
    host = released.hosts[1]
    pages = f"{RELEASE}/2.0/app/pages"
    host.run(f"echo 2.1 > {pages}/00.txt; rm {pages}/01.txt; touch {pages}/left.txt")

    seen = site.castoff("status", "--json")
    assert seen.code == 18
    drift = seen.json["hosts"][1]["drift"]
    assert drift["changed"] == ["app/pages/00.txt"]
    assert drift["missing"] == ["app/pages/01.txt"]
    assert drift["extra"] == ["app/pages/left.txt"]
    assert [host["agrees"] for host in seen.json["hosts"]] == [True, False, True, True]
    table = site.castoff("status").out
    assert "DRIFT" in table
    assert "web2: 2.0 is not as it was built: app/pages/00.txt (changed)" in table

    read = site.castoff("verify", "--env", "production")
    assert read.code == 17
    assert "web2: 2.0: app/pages/01.txt (missing)" in read.out
    assert "castoff release 2.0 --env production" in read.err
    plan = site.castoff("plan", "2.0")
    assert "web2: 2.0 there is made anew: it was changed since" in plan.out

    mended = site.castoff("release", "2.0")
    assert mended.code == 0, mended.err
    assert site.castoff("verify", "--env", "production", "--all").code == 0
    assert site.castoff("status", "--deep").code == 0


def test_a_full_disk_is_pruned_and_what_is_pinned_stays(site: Site, released: Fleet) -> None:
    site.publish("3.0")
    assert site.castoff("release", "3.0").code == 0
    pinned = site.castoff("pin", "1.0", "--reason", "the customer's trial")
    assert pinned.code == 0, pinned.err
    assert "pinned: 1.0, by " in site.castoff("status").out
    full = released.hosts[2]
    full.run("dd if=/dev/zero of=/srv/ballast bs=64k; dd if=/dev/zero of=/srv/more bs=1; true")
    assert site.castoff("unpin", "1.0").code == 0

    looked = site.castoff("prune", "--keep", "2", "--dry-run", "--json")
    assert looked.code == 0, looked.err
    assert [host["removed"] for host in looked.json["hosts"]] == [["1.0"]] * 4

    pruned = site.castoff("prune", "--keep", "2")
    assert pruned.code == 0, pruned.err
    for host in released.hosts:
        assert sorted(host.run(f"ls {RELEASE}").stdout.split()) == ["2.0", "3.0"]
    full.run("rm /srv/ballast /srv/more")
    history = site.castoff("history", "--json").json
    assert [entry["kind"] for entry in history[:4]] == ["prune", "unpin", "pin", "release"]
    assert history[0]["hosts"][2]["removed"] == ["1.0"]
    assert site.castoff("rollback").code == 0
    assert set(live(released).values()) == {"2.0"}


@pytest.mark.usefixtures("released")
def test_locks_and_commits_are_in_the_history(site: Site) -> None:
    assert site.castoff("lock", "--reason", "stocktaking").code == 0
    assert "FROZEN by" in site.castoff("plan", "1.0").out
    assert "stocktaking" in site.castoff("history").out
    assert "lock, frozen" in site.castoff("history", "3").out
    refused = site.castoff("report", "3")
    assert refused.code == 2
    assert "not a release (lock)" in refused.err
    assert site.castoff("unlock").code == 0

    told = site.castoff("history", "2")
    assert "1 commit came with it:" in told.out
    assert "version 2.0" in told.out
    assert "backup" not in told.out.split("step ")[0]
    entry = site.castoff("history", "2", "--json").json
    assert entry["commits"]["gained"][0]["subject"] == "version 2.0"
    assert [host["serves"] for host in entry["plan"]["hosts"]] == ["1.0"] * 4
    assert site.castoff("report", "--output", "-").out.count("<h2") >= 6


def test_words_that_do_not_go_together_are_refused(site: Site) -> None:
    site.write({"castoff.toml": '[apps.pages]\n[environments.e]\nhosts = [{ name = "a" }]\n'})
    for words in (
        (),
        ("1.0", "--env", "e"),
        ("--env", "e", "--version", "1", "--all"),
        ("--all",),
        ("--env", "e", "--signed"),
    ):
        outcome = site.castoff("verify", *words)
        assert outcome.code == 2, words
        assert "castoff verify --env NAME" in outcome.err
    assert site.castoff("verify", "--env", "e", "--version", "../1").code == 2
    assert site.castoff("pin", "1.0").code == 7
    assert site.castoff("unpin", "1.0").code == 2
