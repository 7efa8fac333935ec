"""Hosts that the controller cannot reach, and the one in their zone by way of which it does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.fleet import Fleet
from support.pages import live, log
from support.relayed import (
    HANG_UP,
    PATIENT,
    RELAYS,
    RESTART,
    SSHD,
    ended,
    held,
    kill_relay,
    logins,
    shut_off,
    sound,
    until,
    write,
)
from support.secret_search import SecretSearch
from support.site import Outcome, Site

pytestmark = pytest.mark.fleet

SECRET = "quite-a-secret-of-the-shop"


def test_a_zone_takes_one_connection_and_nothing_stays_on_its_relay(
    site: Site, rack: Fleet
) -> None:
    relay, *behind = rack.hosts
    told = 'name = "told"\nmoment = "activate"\nsecrets = ["TOKEN"]\ncommand = "sleep 0.3"\n'
    write(
        site,
        rack,
        steps=f"{RESTART}\n[[environments.production.steps]]\n{told}",
        more=PATIENT
        + 'secrets = { TOKEN = { env = "THE_TOKEN" } }\n'
        + "transfer = { peers = true }\n",
    )
    site.variables["THE_TOKEN"] = SECRET
    for version in ("1.0", "2.0"):
        site.publish(version, weight=300_000)
    shut_off(rack, *behind)

    search = SecretSearch({"the token": SECRET}, {})
    with search.process_list_watched() as seen:
        done: dict[str, Outcome] = {}
        for words in (("release", "1.0"), ("release", "2.0", "--json"), ("rollback",), ("status",)):
            before = len(logins(relay))
            done[words[0]] = sound(site.castoff(*words))
            assert logins(relay)[before:] == [rack.gateway], words
    assert seen == []
    assert set(live(rack).values()) == {"1.0"}
    # What the controller has to give goes to the relay's host alone; the others have it from there.
    fetched = [host["fetched"] for host in done["release"].json["hosts"]]
    assert ["peer" in ways for ways in fetched] == [False, True, True]
    assert all({*logins(host)} == {relay.address} for host in behind)
    for words in (("run", "--", "hostname"), ("logs", "log")):
        said = sound(site.castoff(*words)).out
        assert all(host.name in said for host in rack.hosts)
    assert "skew_seconds" in sound(site.castoff("history", "--json")).json[0]

    until(lambda: ended(relay))
    assert relay.run("ls -A /tmp").stdout == ""
    assert relay.run("ls -A /root/.ssh").stdout == "authorized_keys\n"


def test_a_host_behind_a_relay_with_another_key_is_refused_by_name(site: Site, rack: Fleet) -> None:
    relay, _, wrong = rack.hosts
    write(site, rack)
    site.publish("1.0")
    known = rack.known_hosts
    keys = known.read_text().splitlines()
    other = next(line for line in keys if line.startswith(relay.address)).split()[1:]
    known.write_text(
        "".join(
            f"{' '.join([wrong.address, *other]) if line.startswith(wrong.address) else line}\n"
            for line in keys
        )
    )
    refused = site.castoff("release", "1.0")
    assert refused.code == 11
    assert f"{wrong.name}: THE HOST KEY OF {wrong.address} port 22 HAS CHANGED" in refused.err
    assert f"as seen from the relay {relay.name}" in refused.err
    assert set(live(rack).values()) == {None}

    known.write_text("".join(f"{line}\n" for line in keys if not line.startswith(wrong.address)))
    refused = site.castoff("release", "1.0")
    assert refused.code == 11
    assert f"{wrong.name}: the host key of {wrong.address} is not known" in refused.err
    assert logins(wrong) == []


@pytest.mark.sweep
def test_what_is_wrong_behind_a_relay_names_the_host_and_the_relay(site: Site, rack: Fleet) -> None:
    _, silent, locked = rack.hosts
    write(site, rack, more="limits = { connect = 20 }\n")
    site.publish("1.0")
    silent.run("pkill -x sshd")
    locked.run("mv /root/.ssh/authorized_keys /root/.ssh/kept")
    looked = site.castoff("preflight", "1.0")
    assert looked.code == 12, looked.err
    assert re.search(r"web2 .*from the relay web1: .*Connection refused", looked.out)
    assert re.search(r"web3 .*login as root .*from the relay web1 refused \(keys", looked.out)


@pytest.mark.sweep
def test_a_relay_that_cannot_be_one_costs_a_connection_to_each_and_is_told(
    site: Site, rack: Fleet
) -> None:
    write(site, rack)
    site.publish("1.0")
    relay = rack.hosts[0]
    # Its agent needs one, and the relay another.
    relay.run(f"echo 'MaxSessions 1' >> {SSHD}; {HANG_UP}")
    assert "not reached" not in sound(site.castoff("preflight")).out

    relay.run("mkdir /root/bin; ln -s $(command -v python3) /root/bin")
    relay.run("echo PATH=/root/bin > /root/.ssh/environment")
    relay.run(f"echo 'PermitUserEnvironment PATH' >> {SSHD}; {HANG_UP}")
    released = sound(site.castoff("release", "1.0"))
    assert re.search(r"web2, web3: not reached by way of web1: there is no `ssh`", released.err)
    looked = sound(site.castoff("preflight"))
    assert re.search(r"web2: not reached by way of web1: ", looked.out)
    assert set(live(rack).values()) == {"1.0"}


@pytest.mark.sweep
def test_a_relay_that_loses_its_power_past_the_barrier_takes_nobody_with_it(
    site: Site, rack: Fleet
) -> None:
    relay, second, behind = rack.hosts
    limits = "limits = { connect = 20, answer = 6, reconnect = 60 }\n"
    write(site, rack, steps=RESTART + held("activate"), more=limits)
    for version in ("1.0", "2.0"):
        site.publish(version)
    sound(site.castoff("release", "1.0"))
    shut_off(rack, behind)

    run = site.start("release", "2.0")
    until(lambda: second.path("/srv/reached").exists(), run)
    relay.kill()
    second.path("/srv/go").touch()
    _, err = run.communicate(timeout=300)
    assert run.returncode == 16, err
    assert relay.name in err
    versions = live(rack)
    assert versions[second.name] == versions[behind.name] == "1.0", err
    assert relay.address not in logins(behind)[-1:]
    relay.start()
    sound(site.castoff("release", "2.0"))
    assert set(live(rack).values()) == {"2.0"}


@pytest.mark.sweep
def test_the_next_of_a_zone_takes_over_before_the_barrier(site: Site, rack: Fleet) -> None:
    relay, second, *behind = rack.hosts
    more = (
        "retries = { prepare = 1, wait = 0.2 }\nlimits = { connect = 20 }\n"
        'stragglers = { policy = "quarantine", quorum = "2" }\n'
        'transfer = { max_rate = "150K" }\n'
    )
    write(site, rack, more=more)
    site.publish("1.0", weight=600_000)
    shut_off(rack, *behind)

    run = site.start("release", "1.0")
    staging = [host.path("/srv/pages/.castoff/staging") for host in rack.hosts]
    until(lambda: all(_bytes_in(folder) > 50_000 for folder in staging), run)
    relay.run("pkill -9 -x sshd")
    _, err = run.communicate(timeout=120)
    assert run.returncode == 0, err
    assert live(rack) == {"web1": None, "web2": "1.0", "web3": "1.0"}
    assert all(second.address in logins(host) for host in behind)


def test_a_relay_that_ends_past_the_barrier_is_started_again(site: Site, rack: Fleet) -> None:
    relay, *behind = rack.hosts
    write(site, rack, steps=RESTART + held("before_activate"))
    for version in ("1.0", "2.0"):
        site.publish(version)
    sound(site.castoff("release", "1.0"))
    shut_off(rack, *behind)

    run = site.start("release", "2.0")
    until(lambda: behind[0].path("/srv/reached").exists(), run)
    assert kill_relay(relay)
    behind[0].path("/srv/go").touch()
    _, err = run.communicate(timeout=120)
    versions = set(live(rack).values())
    assert len(versions) == 1, err
    assert versions == ({"2.0"} if run.returncode == 0 else {"1.0"}), err
    assert run.returncode in (0, 15), err
    sound(site.castoff("status"))
    sound(site.castoff("release", "2.0"))
    assert set(live(rack).values()) == {"2.0"}
    assert all(log(host)[-1] == "restart 2.0" for host in rack.hosts)


@pytest.mark.sweep
def test_a_relay_may_log_in_with_a_key_of_its_own(site: Site, rack: Fleet) -> None:
    relay, *behind = rack.hosts
    write(site, rack)
    path = site.folder / "castoff.toml"
    path.write_text(path.read_text().replace(RELAYS, f'{RELAYS}relay_login = "relay"\n'))
    site.publish("1.0")
    refused = site.castoff("preflight", "1.0")
    assert refused.code == 12
    assert re.search(r"web2 .*login as root at .* from the relay web1 refused", refused.out)
    relay.run("ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519")
    own = relay.run("cat /root/.ssh/id_ed25519.pub").stdout.strip()
    for host in behind:
        host.run(f"echo '{own}' > /root/.ssh/authorized_keys; true")
    shut_off(rack, *behind)
    sound(site.castoff("release", "1.0"))
    assert set(live(rack).values()) == {"1.0"}


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.glob("archive.*"))
