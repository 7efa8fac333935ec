"""What is left when something fails: nothing changed, or everything back."""

from __future__ import annotations

import threading
import time

import pytest

from support.fleet import Fleet
from support.pages import STEPS, live, log, serve, url, write_config
from support.poller import Poller
from support.site import Site

pytestmark = pytest.mark.fleet


def released(site: Site, fleet: Fleet, **config: str) -> None:
    """Put 1.0 live and publish 2.0."""
    write_config(site, fleet, **config)
    site.publish("1.0")
    assert site.castoff("release", "1.0").code == 0
    site.publish("2.0")


def test_a_host_whose_disk_is_full_leaves_every_host_untouched(site: Site, serving: Fleet) -> None:
    released(site, serving)
    broken = serving.hosts[2]
    broken.run(f"head -c 600M /dev/zero > {broken.root}/ballast", check=False)
    outcome = site.castoff("release", "2.0")
    assert outcome.code == 12, outcome.err
    assert "web3" in outcome.err
    assert set(live(serving).values()) == {"1.0"}
    for host in serving.hosts:
        assert "restart 2.0" not in log(host)

    broken.run(f"rm {broken.root}/ballast")
    assert site.castoff("release", "2.0").code == 0
    assert set(live(serving).values()) == {"2.0"}


def test_a_prepare_step_that_fails_on_one_host_stops_before_the_barrier(
    site: Site, serving: Fleet
) -> None:
    step = """
[[environments.production.steps]]
name = "compile"
moment = "prepare"
command = 'test "$CASTOFF_HOST$CASTOFF_VERSION" != web32.0 || { echo no compiler; exit 3; }'
"""
    released(site, serving, steps=STEPS + step)
    outcome = site.castoff("release", "2.0")
    assert outcome.code == 13
    assert "web3" in outcome.err
    assert "no compiler" in outcome.err
    assert set(live(serving).values()) == {"1.0"}
    assert "migrate 2.0 on web1" not in log(serving.hosts[0])


def test_a_migration_that_fails_flips_no_host(site: Site, serving: Fleet) -> None:
    steps = STEPS.replace(
        'name = "migrate"\nmoment = "once"\n',
        'name = "migrate"\nmoment = "once"\nenv = { WRONG = "2.0" }\n',
    ).replace('echo "migrate', 'test "$CASTOFF_VERSION" != "$WRONG" && echo "migrate')
    released(site, serving, steps=steps)
    outcome = site.castoff("release", "2.0")
    assert outcome.code == 14
    assert "'migrate'" in outcome.err
    assert set(live(serving).values()) == {"1.0"}
    assert site.castoff("history", "--json").json[0]["outcome"] == "failed"


def test_a_host_that_is_not_healthy_brings_all_hosts_back(site: Site, serving: Fleet) -> None:
    check = """
[[environments.production.steps]]
name = "smoke"
moment = "after_activate"
command = 'test "$CASTOFF_HOST$CASTOFF_VERSION" != web32.0 || { echo smoke; exit 1; }'
"""
    released(site, serving, steps=STEPS + check)
    with Poller({host.name: url(host) for host in serving.hosts}) as poller:
        outcome = site.castoff("release", "2.0")
    assert outcome.code == 15, outcome.err
    assert "web3" in outcome.err
    assert set(live(serving).values()) == {"1.0"}
    assert not [answer for answer in poller.answers if answer.error or len(answer.stamps) != 1]
    for host in serving.hosts:
        assert log(host)[-2:] == ["restart 2.0", "restart 1.0"], "restarted on the old version"
    entry = site.castoff("history", "--json").json[0]
    assert (entry["outcome"], entry["version"]) == ("rolled back", "2.0")
    assert site.castoff("status").code == 0


def test_a_host_lost_after_its_flip_is_reported_as_mixed_and_the_next_release_converges(
    site: Site, serving: Fleet
) -> None:
    slow_restart = STEPS.replace(
        """command = 'echo "restart""",
        """timeout = 8
command = 'sleep 2; echo "restart""",
    )
    # Soon given up: nothing but the host's silence says that it is lost.
    limits = "limits = { connect = 8, answer = 4, reconnect = 3 }"
    released(site, serving, steps=slow_restart, more=limits)
    lost = serving.hosts[1]
    run = site.start("release", "2.0")
    while live(serving)[lost.name] != "2.0":
        assert run.poll() is None, run.communicate()
        time.sleep(0.02)
    lost.kill()
    _, err = run.communicate(timeout=120)
    assert run.returncode == 16, err
    assert "MIXED" in err
    assert lost.name in err
    others = {name: version for name, version in live(serving).items() if name != lost.name}
    assert set(others.values()) == {"1.0"}
    assert site.castoff("status").code == 18

    lost.start()
    serve(lost)
    assert site.castoff("release", "1.0").code == 0
    assert set(live(serving).values()) == {"1.0"}
    assert site.castoff("status").code == 0


@pytest.mark.parametrize(
    "stage",
    [
        pytest.param("connect", marks=pytest.mark.sweep),
        "prepare",
        pytest.param("backup", marks=pytest.mark.sweep),
        "migrate",
        "restart",
        pytest.param("health", marks=pytest.mark.sweep),
    ],
)
def test_a_controller_killed_at_any_stage_leaves_what_the_next_run_mends(
    site: Site, serving: Fleet, stage: str
) -> None:
    steps = STEPS.replace("command = '", "command = 'sleep 0.7; ")
    released(site, serving, steps=steps, more="limits = { connect = 20 }")
    run = site.start("release", "2.0")
    seen: list[str] = []
    assert run.stderr is not None
    phases = {
        "connect": "== preflight",
        "prepare": "== prepare",
        "backup": "== back-up",
        "migrate": "== migrate",
        "restart": "== restart",
        "health": "restart  done",
    }
    for line in run.stderr:
        seen.append(line)
        if phases[stage] in line:
            break
    time.sleep(0.2)
    run.kill()
    run.wait()
    run.stderr.close()
    assert run.stdout is not None
    run.stdout.close()
    assert set(live(serving).values()) <= {"1.0", "2.0"}

    again = site.castoff("release", "2.0")
    assert again.code == 0, (seen, again.err)
    assert set(live(serving).values()) == {"2.0"}
    assert site.castoff("status").code == 0
    back = site.castoff("rollback")
    assert back.code == 0, back.err
    assert set(live(serving).values()) == {"1.0"}


def test_of_two_releases_at_once_one_wins_and_the_other_changes_nothing(
    site: Site, serving: Fleet
) -> None:
    released(site, serving, steps=STEPS.replace("command = '", "command = 'sleep 0.5; "))
    site.publish("3.0")
    outcomes: dict[str, int] = {}
    errors: dict[str, str] = {}

    def go(version: str) -> None:
        outcome = site.castoff("release", version)
        outcomes[version], errors[version] = outcome.code, outcome.err

    threads = [threading.Thread(target=go, args=(version,)) for version in ("2.0", "3.0")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes.values()) == [0, 9], errors
    winner = next(version for version, code in outcomes.items() if code == 0)
    loser = next(version for version, code in outcomes.items() if code == 9)
    assert set(live(serving).values()) == {winner}
    assert f"release {winner}" in errors[loser], "the loser is told what it met"
    for host in serving.hosts:
        assert f"restart {loser}" not in log(host)


def test_an_interrupt_after_the_flip_brings_all_hosts_back(site: Site, serving: Fleet) -> None:
    released(site, serving, steps=STEPS.replace("command = '", "command = 'sleep 1; "))
    run = site.start("release", "2.0")
    while set(live(serving).values()) != {"2.0"}:
        assert run.poll() is None, run.communicate()
        time.sleep(0.02)
    run.terminate()
    _, err = run.communicate(timeout=120)
    assert run.returncode == 15, err
    assert set(live(serving).values()) == {"1.0"}
    assert site.castoff("status").code == 0
