"""`~/.ssh/config`: what is read of it, what wins over it, and the ways that it leads."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from castoff.config.errors import ConfigError
from castoff.config.hosts import ResolvedHost
from castoff.releaser.errors import HostKeyRejected, HostUnreachable
from castoff.releaser.transports.openssh import ssh_argv
from castoff.releaser.transports.route import Hop, route, route_past_relay
from castoff.releaser.transports.ssh_config import Entry, SshConfig
from support.fleet import Fleet
from support.fleet_fixtures import MakeFleet, isolated
from support.resolved import HOST, resolved, sessions

SSHD = "/etc/ssh/sshd_config"
HANG_UP = "kill -HUP $(cat /run/sshd.pid); sleep 0.3"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the home folder of the user who runs Castoff."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / ".ssh").mkdir(mode=0o700)
    return tmp_path


def write(home: Path, text: str, name: str = "config") -> Path:
    path = home / ".ssh" / name
    path.write_text(text)
    path.chmod(0o600)
    return path


def hops(host: ResolvedHost) -> tuple[Hop, ...]:
    return route(host, SshConfig(), login="me")


def test_without_a_file_nothing_is_said(home: Path) -> None:
    del home
    assert SshConfig().of("web1") == Entry("web1")
    assert hops(HOST) == (Hop("web1", "", "web1", 22, "me"),)


def test_what_the_file_says_is_taken_as_openssh_takes_it(home: Path) -> None:
    path = write(
        home,
        """
Host web1
    HostName %h.example.com
    User deploy
    Port 2222
    IdentityFile ~/.ssh/web
    IdentityFile ~/.ssh/other
    IdentitiesOnly yes
    ConnectTimeout 7
    UserKnownHostsFile ~/.ssh/known_web ~/.ssh/known_more
    ProxyJump ops@gate:2200
Host *
    User everybody
    Port 23
""",
    )
    entry = SshConfig().of("web1")

    assert entry == Entry(
        address="web1.example.com",
        user="deploy",
        port=2222,
        keys=(home / ".ssh/web", home / ".ssh/other"),
        only_keys=True,
        jump="ops@gate:2200",
        known_hosts=(home / ".ssh/known_web", home / ".ssh/known_more"),
        timeout=7,
    )
    shown = subprocess.run(
        ["ssh", "-G", "-F", str(path), "web1"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    for line in ("hostname web1.example.com", "user deploy", "port 2222", "connecttimeout 7"):
        assert line in shown, "OpenSSH itself reads the file in the same way"
    assert SshConfig().of("other") == Entry("other", user="everybody", port=23)


def test_included_files_stand_in_the_place_of_their_line(home: Path) -> None:
    (home / ".ssh" / "d").mkdir()
    write(home, "Host web1\n  Port 1\n", "d/1.conf")
    write(home, "Host web2\n  Port 2\n", "d/2.conf")
    write(home, "Host web1\n  User one\n  Include d/*.conf\n  IdentityFile /k\nHost *\n  Port 9\n")
    config = SshConfig()

    assert (config.of("web1").user, config.of("web1").port) == ("one", 1)
    assert config.of("web1").keys == (Path("/k"),), "the block goes on after the line"
    assert (config.of("web2").port, config.of("web2").keys) == (2, ())
    assert config.of("web3").port == 9


def test_files_that_include_each_other_are_refused(home: Path) -> None:
    write(home, "Include config\n")
    with pytest.raises(ConfigError, match="without end"):
        SshConfig()


def test_castoff_toml_wins_over_the_file(home: Path) -> None:
    write(home, "Host *\n  User a\n  Port 1\n  IdentityFile /a\n  ProxyJump a\n  HostName real\n")
    said = replace(HOST, user="b", port=2, key=Path("/b"), jump="none")

    (hop,) = hops(said)

    assert (hop.user, hop.port, hop.keys, hop.only_keys) == ("b", 2, (Path("/b"),), True)
    assert hop.address == "real"


def test_jump_hosts_come_one_after_the_other_and_have_their_own_entries(home: Path) -> None:
    write(
        home,
        """
Host outer
    HostName 192.0.2.1
    User porter
    Port 2201
    IdentityFile /outer
Host inner
    ProxyJump nobody
Host gate
    ProxyJump outer
""",
    )
    way = hops(replace(HOST, user="deploy", jump="gate:2202,root@inner"))

    assert [(hop.part, hop.user, hop.address, hop.port) for hop in way] == [
        ("jump host outer: ", "porter", "192.0.2.1", 2201),
        ("jump host gate: ", "deploy", "gate", 2202),
        ("jump host inner: ", "root", "inner", 22),
        ("", "deploy", "web1", 22),
    ]
    assert [hop.keys for hop in way] == [(Path("/outer"),), (), (), ()]


def test_jump_hosts_in_a_circle_are_refused(home: Path) -> None:
    write(home, "Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n")
    with pytest.raises(HostUnreachable, match="without end"):
        hops(replace(HOST, jump="a"))


def test_a_proxy_command_is_refused_unless_castoff_toml_says_how_to_go(home: Path) -> None:
    write(home, "Host web1\n  ProxyCommand nc %h %p\nHost web2\n  ProxyCommand none\n")

    with pytest.raises(HostUnreachable, match="ProxyCommand") as caught:
        hops(HOST)

    assert caught.value.code == "ssh-config"
    assert "ProxyJump" in caught.value.hint
    assert len(hops(replace(HOST, jump="gate"))) == 2
    assert len(hops(replace(HOST, address="web2"))) == 1


def test_a_value_that_is_none_is_told_with_the_file(home: Path) -> None:
    path = write(home, "Host web1\n  Port http\n")
    with pytest.raises(HostUnreachable, match=str(path)):
        hops(HOST)


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch, fleet_key: Path) -> Iterator[None]:
    """Let the user have an SSH agent that holds the fleet's key."""
    said = subprocess.run(["ssh-agent", "-s"], check=True, capture_output=True, text=True).stdout
    for part in said.replace("\n", "").split(";"):
        if "=" in part:
            monkeypatch.setenv(*part.split("="))
    try:
        subprocess.run(["ssh-add", "-q", str(fleet_key)], check=True)
        yield
    finally:
        subprocess.run(["ssh-agent", "-k"], check=True, capture_output=True)


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> Fleet:
    return isolated(make_fleet(3))


def serves(host: ResolvedHost) -> str:
    with sessions([host]) as fleet:
        return fleet.open(host).facts.hostname


def test_whoever_needs_a_connection_goes_through_a_relay_as_a_jump_host(home: Path) -> None:
    del home
    relay = replace(HOST, name="relay", address="fe80::1", user="porter", port=2200, jump="gate")
    host = replace(HOST, relays=(relay,), jump="elsewhere")
    assert route_past_relay(host, SshConfig(), login="me") == (
        Hop("web1", "jump host gate: ", "gate", 22, "porter"),
        Hop("web1", "jump host fe80::1: ", "fe80::1", 2200, "porter"),
        Hop("web1", "", "web1", 22, "me"),
    )
    words = ssh_argv(replace(host, relays=(), jump="none"), [])
    assert words[words.index("-J") + 1] == "none"


@pytest.mark.fleet
def test_openssh_goes_through_jump_hosts_with_what_castoff_toml_alone_says(
    home: Path, fleet: Fleet, tmp_path: Path
) -> None:
    outer, inner, last = fleet.hosts
    last.run(f"printf 'Match Address *,!{inner.address}\\n  DenyUsers *\\n' >> {SSHD}; {HANG_UP}")
    host = resolved(last, jump=f"root@{outer.address}:22,{inner.address}")
    assert host.key is not None
    host = replace(host, key=Path(shutil.copy(host.key, tmp_path / "the 100% key")))
    done = subprocess.run(
        ssh_argv(host, ["hostname"]),
        env={**os.environ, "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
    )
    assert done.stdout == b"web3\n"


@pytest.mark.fleet
def test_openssh_goes_through_a_relay_with_what_castoff_toml_alone_says(
    home: Path, make_fleet: MakeFleet, tmp_path: Path
) -> None:
    near, far = make_fleet(2).hosts
    # `%` and blanks mean something to OpenSSH and to the shell.
    relay = resolved(near)
    assert relay.key is not None
    assert relay.known_hosts is not None
    key = Path(shutil.copy(relay.key, tmp_path / "the key"))
    known = Path(shutil.copy(relay.known_hosts, tmp_path / "100% known"))
    relay = replace(relay, key=key, known_hosts=known)
    host = resolved(far, relays=(relay,))
    done = subprocess.run(
        ssh_argv(host, ["echo", "yes"]),
        env={**os.environ, "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
    )
    assert done.stdout == b"yes\n"


@pytest.mark.fleet
def test_a_host_is_reached_by_what_the_file_says_alone(home: Path, fleet: Fleet) -> None:
    first = fleet.hosts[0]
    write(home, fleet.known_hosts.read_text(), "hosts")
    write(
        home,
        f"Host web1\n  HostName {first.address}\n  User root\n  IdentityFile {fleet.key_path}\n"
        "  UserKnownHostsFile ~/.ssh/hosts\n",
    )
    assert serves(HOST) == "web1"


@pytest.mark.fleet
def test_the_way_leads_through_a_chain_of_jump_hosts(home: Path, fleet: Fleet) -> None:
    outer, inner, last = fleet.hosts
    write(
        home,
        f"Host *\n  User root\n  IdentityFile {fleet.key_path}\n  ForwardAgent yes\n"
        f"Host outer\n  HostName {outer.address}\nHost inner\n  HostName {inner.address}\n",
    )
    # Only the one before lets anybody in: the way is gone if a hop is left out.
    inner.run(f"printf 'Match Address *,!{outer.address}\\n  DenyUsers *\\n' >> {SSHD}; {HANG_UP}")
    last.run(f"printf 'Match Address *,!{inner.address}\\n  DenyUsers *\\n' >> {SSHD}; {HANG_UP}")
    there = replace(resolved(last), key=None, user=None, jump="outer,inner")

    assert serves(there) == "web3"
    with pytest.raises(HostUnreachable, match="login as root refused"):
        serves(replace(there, jump="outer"))


@pytest.mark.fleet
def test_the_key_of_a_jump_host_is_checked_too(home: Path, fleet: Fleet) -> None:
    outer, _, last = fleet.hosts
    write(home, f"Host outer\n  HostName {outer.address}\n")
    known = [
        line for line in fleet.known_hosts.read_text().splitlines() if outer.address not in line
    ]
    fleet.known_hosts.write_text("\n".join(known) + "\n")

    with pytest.raises(HostKeyRejected, match=f"{outer.address} is not known") as caught:
        serves(replace(resolved(last), jump="root@outer"))

    assert caught.value.host == "web3"


@pytest.mark.fleet
def test_the_ssh_agent_is_used_and_never_forwarded(home: Path, fleet: Fleet, agent: None) -> None:
    del agent
    host = fleet.hosts[0]
    write(home, "Host *\n  ForwardAgent yes\n")
    there = replace(resolved(host), key=None)
    with sessions([there]) as opened:
        assert opened.open(there).facts.user == "root"
        environments = host.run("cat /proc/[0-9]*/environ | tr '\\0' '\\n'").stdout
    assert "SSH_CONNECTION" in environments
    assert "SSH_AUTH_SOCK" not in environments


@pytest.fixture
def locked(fleet_key: Path, tmp_path: Path) -> Path:
    """Return the fleet's key behind a passphrase."""
    path = tmp_path / "locked"
    path.write_bytes(fleet_key.read_bytes())
    path.chmod(0o600)
    public = fleet_key.with_name(f"{fleet_key.name}.pub")
    path.with_name("locked.pub").write_bytes(public.read_bytes())
    change = ["ssh-keygen", "-q", "-p", "-P", "", "-N", "a passphrase", "-f", str(path)]
    subprocess.run(change, check=True, capture_output=True)
    return path


@pytest.mark.fleet
@pytest.mark.usefixtures("home")
def test_a_key_with_a_passphrase_is_refused_with_its_mend(fleet: Fleet, locked: Path) -> None:
    with pytest.raises(HostUnreachable, match="needs its passphrase") as caught:
        serves(replace(resolved(fleet.hosts[0]), key=locked))
    assert caught.value.hint.endswith(f"ssh-add {locked}")


@pytest.mark.fleet
@pytest.mark.usefixtures("home", "agent")
@pytest.mark.parametrize("name", ["locked", "locked.pub"])
def test_a_key_with_a_passphrase_is_taken_from_the_agent(
    fleet: Fleet, locked: Path, name: str
) -> None:
    assert serves(replace(resolved(fleet.hosts[0]), key=locked.with_name(name))) == "web1"


def test_what_runs_commands_of_the_configuration_is_loaded_where_it_has_some(home: Path) -> None:
    program = """
import sys
from castoff.releaser.transports.connect import connector
from support.resolved import HOST
connector([HOST])
assert "paramiko.transport" in sys.modules
from castoff.releaser.transports.ssh_config import USER_FILE, SshConfig
print(SshConfig().of("web1").port, "invoke" in sys.modules)
USER_FILE.expanduser().write_text(sys.argv[1])
print(SshConfig().of("web1").port, "invoke" in sys.modules)
"""
    write(home, "Host web1\n  Port 2200\n")
    asking = (
        "Match host web1 exec 'exit 1'\n  Port 2201\nmatch Exec 'test %h = web1'\n  Port 2202\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, asking],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    ).stdout
    assert said.split() == ["2200", "False", "2202", "True"]
