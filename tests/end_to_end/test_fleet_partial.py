"""--only and --except on real hosts, and hosts that a command lists."""

from __future__ import annotations

import json

import pytest

from support.fleet import Fleet
from support.pages import live, log, write_config
from support.site import Site

pytestmark = pytest.mark.fleet


def test_a_release_to_some_hosts_says_so_everywhere_and_is_undone_by_one_to_all(
    site: Site, serving: Fleet
) -> None:
    write_config(site, serving)
    site.publish("1.0")
    assert site.castoff("release", "1.0").code == 0
    site.publish("2.0")

    plan = site.castoff("plan", "2.0", "--except", "web1,web2,web3")
    assert "PARTIAL: all except web1, web2, web3" in plan.out
    assert "web1 " not in plan.out

    some = site.castoff("release", "2.0", "--only", "web2")
    assert some.code == 0, some.err
    assert "PARTIAL: 2.0 is live on 1 host of production (only web2)" in some.out
    assert live(serving) == {"web1": "1.0", "web2": "2.0", "web3": "1.0", "web4": "1.0"}
    for host in serving.hosts:
        assert ("restart 2.0" in log(host)) == (host.name == "web2")
    assert "released (only web2)" in site.castoff("history").out

    status = site.castoff("status", "--json")
    assert status.code == 18
    assert status.json["current"] == "1.0"
    assert site.castoff("status", "--except", "web2").code == 0

    back = site.castoff("rollback", "--only", "web2")
    assert back.code == 0, back.err
    assert site.castoff("status").code == 0
    assert set(live(serving).values()) == {"1.0"}


def test_a_host_that_is_not_there_is_refused_before_anything(site: Site, serving: Fleet) -> None:
    write_config(site, serving)
    for words in (("release", "1.0", "--only", "wbe1"), ("status", "--except", "role:db")):
        outcome = site.castoff(*words)
        assert outcome.code == 2
        assert "web1, web2, web3, web4" in outcome.err


def test_hosts_that_a_command_lists_are_looked_up_once_a_command(
    site: Site, serving: Fleet
) -> None:
    write_config(site, serving)
    text = (site.folder / "castoff.toml").read_text()
    head, *_ = text.split("[[environments.production.hosts]]")
    steps = text[text.index("[[environments.production.steps]]") :]
    rows = [
        {
            "name": host.name,
            "address": host.address,
            "user": host.user,
            "key": str(host.key_path),
            "root": f"{host.root}/{{app}}",
            "env": {"PORT": "8100"},
        }
        for host in serving.hosts[:2]
    ]
    found = (
        '[environments.production.hosts_from]\ncommand = "echo asked >> asked; cat hosts.json"\n'
    )
    site.write({"castoff.toml": head + found + steps, "hosts.json": json.dumps(rows)})
    site.publish("1.0")

    outcome = site.castoff("release", "1.0")

    assert outcome.code == 0, outcome.err
    assert live(serving) == {"web1": "1.0", "web2": "1.0", "web3": None, "web4": None}
    assert (site.folder / "asked").read_text() == "asked\n"

    site.write({"hosts.json": '[{"name": "web1", "prot": 22}]'})
    refused = site.castoff("release", "1.0")
    assert refused.code == 3
    assert "host 1 (web1): unknown key 'prot'; did you mean 'port'?" in refused.err
