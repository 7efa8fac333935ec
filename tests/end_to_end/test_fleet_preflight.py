"""castoff preflight: each thing that would stop a release, with its mend, on real hosts."""

from __future__ import annotations

from typing import Any

import pytest

from support.fleet import Fleet
from support.pages import write_config
from support.site import Site

pytestmark = pytest.mark.fleet


def rows(site: Site, *words: str) -> dict[str, dict[str, Any]]:
    found = site.castoff("preflight", "--json", *words)
    table = {row["name"]: row for row in found.json}
    assert found.code == (12 if any(row["problem"] for row in table.values()) else 0), found.err
    return table


def test_hosts_that_are_ready_are_called_so(site: Site, serving: Fleet) -> None:
    write_config(site, serving)
    outcome = site.castoff("preflight")
    assert outcome.code == 0, outcome.err
    assert [line.split()[0] for line in outcome.out.splitlines()] == [
        "host",
        *(host.name for host in serving.hosts),
    ]
    assert outcome.out.count(" ok") == 4


def test_each_problem_is_told_with_its_mend(site: Site, serving: Fleet) -> None:
    write_config(site, serving)
    full, read_only, owned, good = serving.hosts
    site.publish("1.0", weight=2_000_000)
    full.run(f"head -c 600M /dev/zero > {full.root}/ballast", check=False)
    read_only.run("mkdir /srv/pages; mount -t tmpfs -o ro nothing /srv/pages")
    owned.add_user("deploy")
    owned.run("install -d /srv/pages")
    config = site.folder / "castoff.toml"
    text = config.read_text()
    before, after = text.split('name = "web3"')
    config.write_text(f'{before}name = "web3"{after.replace("root", "deploy", 1)}')

    found = rows(site, "1.0")

    assert found["web1"]["code"] == "no-space"
    assert "Free some" in found["web1"]["mend"]
    assert found["web2"]["code"] == "permission"
    assert "read-only" in found["web2"]["problem"]
    assert "remount,rw" in found["web2"]["mend"]
    assert found["web3"]["code"] == "permission"
    assert "as user deploy" in found["web3"]["problem"]
    assert "sudo" in found["web3"]["mend"]
    assert (found["web4"]["problem"], found["web4"]["user"]) == ("", "root")

    shown = site.castoff("preflight", "1.0", "--only", "web2,web4")
    assert shown.code == 12
    assert "web2: -> " in shown.out
    assert good.name in shown.out


def test_a_folder_of_another_owner_further_down_is_found(site: Site, serving: Fleet) -> None:
    write_config(site, serving)
    host = serving.hosts[0]
    host.add_user("deploy")
    config = site.folder / "castoff.toml"
    config.write_text(config.read_text().replace('user = "root"', 'user = "deploy"', 1))
    host.run("install -d -o deploy /srv/pages")
    assert rows(site, "--only", "web1")["web1"]["problem"] == ""
    host.run("chown root /srv/pages/releases")

    found = rows(site, "--only", "web1")["web1"]

    assert "cannot write to /srv/pages/releases as user deploy" in found["problem"]
    assert "chown -R deploy /srv/pages" in found["mend"]


def test_hosts_that_cannot_be_reached_or_lack_python_are_found(site: Site, serving: Fleet) -> None:
    write_config(site, serving, more="limits = { connect = 3 }")
    serving.hosts[0].cut()
    config = site.folder / "castoff.toml"
    before, after = config.read_text().split('name = "web2"')
    config.write_text(f'{before}name = "web2"\npython = "python9"{after}')

    found = rows(site)

    assert found["web1"]["code"] == "unreachable"
    assert "ssh -p 22" in found["web1"]["mend"]
    assert found["web2"]["code"] == "python"
    assert "Python 3.8" in found["web2"]["mend"]
    assert found["web3"]["problem"] == found["web4"]["problem"] == ""
