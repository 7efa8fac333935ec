"""castoff run, logs and ssh on real hosts."""

from __future__ import annotations

import signal
import threading
import time

import pytest

from support.fleet import Fleet
from support.pages import live, write_config
from support.site import Site

pytestmark = pytest.mark.fleet


@pytest.fixture
def released(site: Site, serving: Fleet) -> Fleet:
    """Return hosts that serve 1.0."""
    write_config(site, serving)
    site.publish("1.0")
    assert site.castoff("release", "1.0").code == 0
    return serving


def lines(text: str) -> set[str]:
    return set(text.splitlines())


def test_a_command_runs_on_all_hosts_in_what_they_serve(site: Site, released: Fleet) -> None:
    outcome = site.castoff("run", "--", "echo $CASTOFF_HOST $CASTOFF_VERSION; cat app/pages/00.txt")
    assert outcome.code == 0, outcome.err
    for host in released.hosts:
        assert {f"{host.name} | {host.name} 1.0", f"{host.name} | 1.0"} <= lines(outcome.out)

    words = site.castoff("run", "--only", "web2", "--", "printf", "%s\\n", "a b", "$HOME")
    assert words.out == "web2 | a b\nweb2 | $HOME\n", "words are passed on as they are"
    assert site.castoff("history", "--json").json[0]["kind"] == "release", "nothing is recorded"


def test_a_command_that_fails_on_some_hosts_names_them(site: Site, released: Fleet) -> None:
    released.hosts[3].cut()
    config = site.folder / "castoff.toml"
    config.write_text(config.read_text().replace("keep = 3", "limits = { connect = 4 }"))

    outcome = site.castoff("run", "--", "echo here; test $CASTOFF_HOST != web2 || exit 3")

    assert outcome.code == 20
    assert {"web1 | here", "web2 | here", "web3 | here"} == lines(outcome.out)
    assert "failed on 2 of 4 hosts" in outcome.err
    assert "web2: the command failed with exit status 3" in outcome.err
    assert "web4: cannot connect" in outcome.err


def test_a_release_does_not_wait_for_a_command_that_runs(site: Site, released: Fleet) -> None:
    site.publish("2.0")
    running = site.start("run", "--", "echo begun; exec sleep 60")
    assert running.stdout is not None
    assert "begun" in running.stdout.readline()

    outcome = site.castoff("release", "2.0")
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=20)

    assert outcome.code == 0, outcome.err
    assert set(live(released).values()) == {"2.0"}
    assert running.returncode == 130


def test_where_nothing_is_live_there_is_nothing_to_run_in(site: Site, serving: Fleet) -> None:
    write_config(site, serving)
    outcome = site.castoff("run", "--", "true")
    assert outcome.code == 20
    assert "web1: nothing is live there" in outcome.err


def test_logs_of_all_hosts_are_shown_and_followed(site: Site, released: Fleet) -> None:
    outcome = site.castoff("logs", "log", "-n", "1")
    assert outcome.code == 0, outcome.err
    assert lines(outcome.out) == {f"{host.name} | restart 1.0" for host in released.hosts}

    missing = site.castoff("logs", "/srv/none.log", "--only", "web1")
    assert missing.code == 20
    assert "web1 | tail: cannot open '/srv/none.log'" in missing.out

    following = site.start("logs", "log", "--follow", "-n", "0", "--only", "web2,web3")
    assert following.stdout is not None
    over = threading.Event()

    def write() -> None:
        while not over.wait(0.2):
            for host in released.hosts:
                host.run("echo more >> /srv/pages/shared/log")

    # Again and again: nobody can see from when on it follows.
    writer = threading.Thread(target=write)
    writer.start()
    seen: set[str] = set()
    try:
        while len(seen) < 2:
            seen.add(following.stdout.readline())
    finally:
        over.set()
        writer.join()
    assert seen == {"web2 | more\n", "web3 | more\n"}
    following.send_signal(signal.SIGINT)
    following.communicate(timeout=20)
    assert following.returncode == 130
    # One that has ended has no command line left, though the host's init never buries it.
    running = "cat /proc/[0-9]*/cmdline | tr '\\0' ' '"
    deadline = time.monotonic() + 20
    while "tail -n" in released.hosts[1].run(running).stdout:
        assert time.monotonic() < deadline, "tail still runs on the host"
        time.sleep(0.05)


def test_logs_want_files_or_a_unit(site: Site) -> None:
    site.write({"castoff.toml": '[apps.pages]\n[environments.e]\nhosts = [{ name = "a" }]\n'})
    for words in ((), ("x.log", "--unit", "web")):
        outcome = site.castoff("logs", *words)
        assert outcome.code == 2
        assert "either files or a unit" in outcome.err


def test_ssh_logs_in_as_castoff_does(site: Site, released: Fleet) -> None:
    outcome = site.castoff("ssh", "web3", "--", "hostname; readlink /srv/pages/current")
    assert (outcome.code, outcome.out) == (0, "web3\nreleases/1.0\n"), outcome.err
    assert site.castoff("ssh", "web3", "--", "exit", "7").code == 7

    released.known_hosts.write_text("")
    refused = site.castoff("ssh", "web3", "--", "true")
    assert refused.code == 255
    assert "Host key verification failed" in refused.err
    assert site.castoff("ssh", "web9").code == 2
