"""Bad input ends in its own clear error before anything is touched."""

from __future__ import annotations

import pytest

from support.fleet import Fleet
from support.pages import live, write_config
from support.site import Site

pytestmark = pytest.mark.fleet


HOSTILE = ["../x", ";id", "-oProxyCommand=id", "a b", "a/b", "$(id)", "", "a" * 65, "1.0\n", "ä"]


@pytest.mark.parametrize(
    ("command", "version"),
    [
        *[("release", version) for version in HOSTILE],
        *[
            (command, "../x")
            for command in ("build", "push", "plan", "prepare", "activate", "rollback")
        ],
    ],
)
def test_hostile_version_names_are_refused(site: Site, command: str, version: str) -> None:
    site.write({"castoff.toml": '[apps.pages]\n[environments.e]\nhosts = [{ name = "web1" }]\n'})
    site.commit("start")
    words = ("--version", version) if command == "build" else ("--", version)
    outcome = site.castoff(command, *words)
    assert outcome.code == 2, outcome.err
    assert "not a version" in outcome.err
    assert not (site.folder / "artifacts").exists()


def test_an_unknown_version_is_named_with_those_there_are(site: Site, serving: Fleet) -> None:
    write_config(site, serving)
    site.publish("1.0")
    outcome = site.castoff("release", "1.1")
    assert outcome.code == 7
    assert "1.1" in outcome.err
    assert "1.0" in outcome.err
    assert set(live(serving).values()) == {None}


def test_an_unknown_environment_is_named_with_those_there_are(site: Site, serving: Fleet) -> None:
    write_config(site, serving)
    site.publish("1.0")
    outcome = site.castoff("release", "1.0", "--env", "produktion")
    assert outcome.code == 2
    assert "production" in outcome.err


def test_a_wrong_host_key_stops_the_release_before_anything(site: Site, serving: Fleet) -> None:
    write_config(site, serving)
    site.publish("1.0")
    lines = serving.known_hosts.read_text().splitlines()
    keys = [line.split(" ", 1) for line in lines]
    swapped = [f"{keys[0][0]} {keys[1][1]}", *lines[1:]]
    serving.known_hosts.write_text("\n".join(swapped) + "\n")
    outcome = site.castoff("release", "1.0")
    assert outcome.code == 11, outcome.err
    assert "web1" in outcome.err
    assert "HAS CHANGED" in outcome.err
    assert set(live(serving).values()) == {None}


def test_an_unknown_host_key_stops_the_release_and_shows_its_fingerprint(
    site: Site, serving: Fleet
) -> None:
    write_config(site, serving)
    site.publish("1.0")
    lines = serving.known_hosts.read_text().splitlines()
    serving.known_hosts.write_text("\n".join(lines[1:]) + "\n")
    outcome = site.castoff("release", "1.0")
    assert outcome.code == 11
    assert "SHA256:" in outcome.err
    assert "ssh-keyscan" in outcome.err


def test_an_unreachable_host_stops_the_release(site: Site, serving: Fleet) -> None:
    write_config(site, serving, more="limits = { connect = 3 }")
    site.publish("1.0")
    serving.hosts[3].cut()
    outcome = site.castoff("release", "1.0")
    assert outcome.code == 10, outcome.err
    assert "web4" in outcome.err
    assert set(live(serving).values()) == {None}


def test_a_key_that_no_host_takes_is_named(site: Site, serving: Fleet) -> None:
    from support.fleet import make_key

    write_config(site, serving)
    site.publish("1.0")
    stranger = site.home / "stranger"
    make_key(stranger)
    path = site.folder / "castoff.toml"
    path.write_text(path.read_text().replace(str(serving.key_path), str(stranger)))
    outcome = site.castoff("release", "1.0")
    assert outcome.code == 10
    assert str(stranger) in outcome.err
    assert "authorized_keys" in outcome.err


def test_a_host_without_python_is_named_with_its_mend(site: Site, serving: Fleet) -> None:
    write_config(site, serving, more='python = "python9"')
    site.publish("1.0")
    outcome = site.castoff("release", "1.0")
    assert outcome.code == 10
    assert "python9" in outcome.err
    assert "Python 3.8" in outcome.err


def test_a_bad_configuration_lists_all_its_faults_with_lines(site: Site) -> None:
    site.write(
        {
            "castoff.toml": '[apps.pages]\n\n[environments.production]\nhots = []\nport = "22"\n'
            '[[environments.production.hosts]]\nname = "Web 1"\n'
        }
    )
    outcome = site.castoff("release", "1.0")
    assert outcome.code == 3
    assert "castoff.toml:4:" in outcome.err
    assert "did you mean 'hosts'" in outcome.err
    assert "castoff.toml:5:" in outcome.err
    assert "castoff.toml:7:" in outcome.err


def test_rolling_back_without_a_previous_release_says_so(site: Site, serving: Fleet) -> None:
    write_config(site, serving)
    site.publish("1.0")
    outcome = site.castoff("rollback")
    assert outcome.code == 7
    assert "no previous good release" in outcome.err
