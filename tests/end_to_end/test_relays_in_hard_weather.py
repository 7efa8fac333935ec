"""Controllers and relays that end in the middle of a release, and all else that meets relays."""

from __future__ import annotations

import signal
import time
from functools import partial

import pytest

from support.fleet import Fleet
from support.fleet_fixtures import MakeFleet, isolated
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
from support.site import Site

pytestmark = pytest.mark.fleet

HOSTS = "[[environments.production.hosts]]"
BLUE_GREEN = """
[environments.production.strategy]
kind = "blue-green"
blue = { PORT = "8001" }
green = { PORT = "8002" }

[[environments.production.steps]]
name = "start"
moment = "start_idle"
command = 'cd "$CASTOFF_SHARED"; echo "start $CASTOFF_VERSION $CASTOFF_COLOR" >> log; \
echo "$CASTOFF_VERSION" > "$CASTOFF_COLOR"'

[[environments.production.steps]]
name = "answers"
moment = "check_idle"
command = 'test "$(cat "$CASTOFF_SHARED/$CASTOFF_COLOR")" = "$CASTOFF_VERSION"'

[[environments.production.steps]]
name = "switch"
moment = "activate"
command = 'echo "switch $CASTOFF_VERSION $CASTOFF_COLOR" >> "$CASTOFF_SHARED/log"'
"""


def check_clean(fleet: Fleet) -> None:
    """Find that nothing of Castoff runs on any host, nor lies in its temporary folder."""
    for host in fleet.hosts:
        until(partial(ended, host))
        assert host.run("ls -A /tmp").stdout == ""


# One of them is always tried.
@pytest.mark.parametrize(
    ("moment", "sent", "code"),
    [
        pytest.param("prepare", signal.SIGINT, 130, marks=pytest.mark.sweep),
        pytest.param("prepare", signal.SIGTERM, 130, marks=pytest.mark.sweep),
        pytest.param("prepare", signal.SIGKILL, -9, marks=pytest.mark.sweep),
        pytest.param("backup", signal.SIGINT, 130, marks=pytest.mark.sweep),
        pytest.param("backup", signal.SIGTERM, 130, marks=pytest.mark.sweep),
        pytest.param("backup", signal.SIGKILL, -9, marks=pytest.mark.sweep),
        pytest.param("before_activate", signal.SIGTERM, 15, marks=pytest.mark.sweep),
        pytest.param("before_activate", signal.SIGKILL, -9, marks=pytest.mark.sweep),
        pytest.param("activate", signal.SIGINT, 15, marks=pytest.mark.sweep),
        ("activate", signal.SIGTERM, 15),
        pytest.param("activate", signal.SIGKILL, -9, marks=pytest.mark.sweep),
    ],
)
def test_a_controller_that_ends_leaves_nothing_on_any_host(
    moment: str, sent: signal.Signals, code: int, site: Site, rack: Fleet
) -> None:
    leader, second, _ = rack.hosts
    # A back-up is the leader's.
    stays = leader if moment == "backup" else second
    write(site, rack, steps=RESTART + held(moment, stays.name))
    for version in ("1.0", "2.0"):
        site.publish(version)
    sound(site.castoff("release", "1.0"))
    shut_off(rack, *rack.hosts[1:])

    # What is started in the background ignores it, and so would what that starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run = site.start("release", "2.0")
    until(lambda: stays.path("/srv/reached").exists(), run)
    run.send_signal(sent)
    # Where it goes back, web2 has to end its step first.
    later = time.monotonic() + 3
    until(lambda: run.poll() is not None or time.monotonic() > later)
    for host in rack.hosts:
        host.path("/srv/go").touch()
    _, err = run.communicate(timeout=100)
    assert run.returncode == code, err
    check_clean(rack)
    flipped = moment == "activate" and code == -9
    assert set(live(rack).values()) == {"2.0" if flipped else "1.0"}, err
    if code == 15:
        assert "every host is back on what it served before" in err
    assert ("not finished: " in site.castoff("status").out) == (code == -9)

    sound(site.castoff("release", "2.0"))
    assert set(live(rack).values()) == {"2.0"}
    assert all(log(host)[-1] == "restart 2.0" for host in rack.hosts)


@pytest.mark.sweep
def test_two_instances_behind_a_relay(site: Site, rack: Fleet) -> None:
    relay, second, last = rack.hosts
    write(site, rack, steps=BLUE_GREEN + held("check_idle"))
    for version in ("1.0", "2.0", "3.0"):
        site.publish(version)
    shut_off(rack, second, last)
    sound(site.castoff("release", "1.0"))

    run = site.start("release", "2.0")
    until(lambda: second.path("/srv/reached").exists(), run)
    assert kill_relay(relay)
    second.path("/srv/go").touch()
    _, err = run.communicate(timeout=120)
    assert run.returncode == 14, err
    assert "the relay web1 is gone" in err
    assert set(live(rack).values()) == {"1.0"}
    sound(site.castoff("release", "2.0"))
    sound(site.castoff("release", "3.0"))
    sound(site.castoff("rollback"))
    assert set(live(rack).values()) == {"2.0"}
    for host in rack.hosts:
        links = {c: host.path(f"/srv/pages/{c}").readlink().name for c in ("blue", "green")}
        assert links == {"blue": "3.0", "green": "2.0"}
        # The instance of the older version still ran.
        assert log(host)[-3:] == ["start 3.0 blue", "switch 3.0 blue", "switch 2.0 green"]
    check_clean(rack)


@pytest.mark.sweep
def test_every_command_reaches_a_site_by_its_relay_alone(site: Site, rack: Fleet) -> None:
    relay, *behind = rack.hosts
    write(site, rack, more=PATIENT + 'maintenance_page = "page.html"\n')
    path = site.folder / "castoff.toml"
    path.write_text(path.read_text().replace(RELAYS, f"{RELAYS}rate = 20\n"))
    site.write({"page.html": "<p>later"})
    versions = ("1.0", "2.0", "3.0", "4.0", "5.0")
    for version in versions:
        site.publish(version)
    shut_off(rack, *behind)
    # A name that means more to OpenSSH than to anybody else.
    relay.run("mkdir '/srv/a b%'; echo 'TMPDIR=/srv/a b%' > /root/.ssh/environment")
    relay.run(f"echo 'PermitUserEnvironment TMPDIR' >> {SSHD}; {HANG_UP}")
    for version in versions[:-1]:
        sound(site.castoff("release", version, "--concurrency", "1", "--max-rate-total", "1M"))
    for words in (
        ("prune",),
        ("plan", "5.0"),
        ("preflight", "5.0"),
        ("prepare", "5.0", "--max-rate", "1M"),
        ("maintenance", "on"),
        ("maintenance", "off"),
        ("verify", "--env", "production"),
        ("status",),
        ("converge",),
        ("rollback",),
        ("release", "5.0", "--only", "web2,web3"),
        ("release", "5.0", "--maintenance"),
    ):
        before = len(logins(relay))
        done = sound(site.castoff(*words))
        assert "not reached" not in done.out + done.err, words
        assert len(logins(relay)) - before == 1, words
    for words in (("run", "--", "hostname"), ("logs", "log")):
        said = sound(site.castoff(*words)).out
        assert all(host.name in said for host in rack.hosts)
    assert sound(site.castoff("ssh", "web2", "--", "hostname")).out == "web2\n"
    assert set(live(rack).values()) == {"5.0"}
    assert all({*logins(host)} == {relay.address} for host in behind)
    check_clean(rack)
    assert relay.run("ls -A '/srv/a b%'").stdout == ""


@pytest.mark.sweep
def test_stragglers_and_a_zone_whose_first_host_is_off(site: Site, rack: Fleet) -> None:
    relay, second, last = rack.hosts
    leave = 'stragglers = { policy = "quarantine", quorum = "2" }\n'
    write(site, rack, more=f"limits = {{ connect = 15, answer = 60 }}\n{leave}")
    for version in ("1.0", "2.0", "3.0"):
        site.publish(version)
    sound(site.castoff("release", "1.0"))
    shut_off(rack, last)
    relay.kill()
    left = sound(site.castoff("release", "2.0"))
    assert "web1 is left out" in left.err
    assert "jump host" not in left.err
    assert live(rack) == {"web1": "1.0", "web2": "2.0", "web3": "2.0"}
    assert logins(last)[-1] == second.address
    relay.start()
    sound(site.castoff("converge"))
    assert set(live(rack).values()) == {"2.0"}

    path = site.folder / "castoff.toml"
    path.write_text(path.read_text().replace(leave, 'stragglers = { policy = "wait" }\n'))
    relay.kill()
    run = site.start("release", "3.0")
    until(lambda: not ended(last), run)
    relay.start()
    _, err = run.communicate(timeout=120)
    assert run.returncode == 0, err
    assert set(live(rack).values()) == {"3.0"}
    check_clean(rack)


@pytest.mark.sweep
def test_a_jump_host_in_front_of_a_relay(site: Site, make_fleet: MakeFleet) -> None:
    fleet = isolated(make_fleet(4))
    gate, relay, *behind = fleet.hosts
    write(site, fleet)
    path = site.folder / "castoff.toml"
    head, _, *rest = path.read_text().split(HOSTS)
    table = "[environments.production]\n"
    head = head.replace(table, f'{table}jump = "root@{gate.address}"\n')
    path.write_text(HOSTS.join([head, *rest]))
    for version in ("1.0", "2.0"):
        site.publish(version)
    shut_off(fleet, relay, *behind)
    for host in behind:
        host.run(f"ip route add blackhole {gate.address}/32")
    sound(site.castoff("release", "1.0"))
    sound(site.castoff("release", "2.0"))
    assert list(live(fleet).values()) == [None, "2.0", "2.0", "2.0"]
    assert {*logins(relay)} == {gate.address}
    assert all({*logins(host)} == {relay.address} for host in behind)
    assert sound(site.castoff("ssh", "web4", "--", "hostname")).out == "web4\n"


@pytest.mark.sweep
@pytest.mark.parametrize(("moment", "code"), [("prepare", 13), ("activate", 15)])
def test_a_relay_that_stands_still_is_waited_for_no_longer_than_its_hosts(
    moment: str, code: int, site: Site, rack: Fleet
) -> None:
    relay, second, _ = rack.hosts
    limits = "limits = { connect = 20, answer = 8, reconnect = 40 }\n"
    steps = RESTART + held(moment).replace("timeout = 60", "timeout = 8")
    write(site, rack, steps=steps, more=limits)
    for version in ("1.0", "2.0"):
        site.publish(version)
    sound(site.castoff("release", "1.0"))

    run = site.start("release", "2.0")
    until(lambda: second.path("/srv/reached").exists(), run)
    assert kill_relay(relay, "STOP")
    second.path("/srv/go").touch()
    _, err = run.communicate(timeout=240)
    assert run.returncode == code, err
    assert second.name in err
    assert set(live(rack).values()) == {"1.0"}, err

    assert kill_relay(relay, "CONT")
    check_clean(rack)
    sound(site.castoff("release", "2.0"))
    assert set(live(rack).values()) == {"2.0"}
