"""A whole run with secrets in it leaves them nowhere but where they are meant to be."""

from __future__ import annotations

import pwd
import shutil
import signal
import stat
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.fleet import Fleet, FleetHost
from support.fleet_fixtures import MakeFleet
from support.pages import live, write_config
from support.secret_search import SecretSearch
from support.site import Outcome, Site
from support.traps import wait_until

pytestmark = pytest.mark.fleet

TOKEN = 'tk "q\'d" /+%ü-7f3k9x2m5b8v1n4c6'
PASSWORD = "pw-9q8w7e6r5t4y3u2i1o0p"
KEY = "\n".join(
    [
        "-----BEGIN PRIVATE KEY-----",
        "MC4CAQAwBQYDK2VwBCIEIAbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfG",
        "hIjKlMnOpQrStUvWxYz0",
        "-----END PRIVATE KEY-----",
    ]
)
SECRETS = """
[environments.production.secrets]
TOKEN = { file = "../vault/token" }
PASSWORD = { env = "VAULT_PASSWORD" }
KEY = { command = "cat ../vault/key" }
UNUSED = { file = "../vault/none" }
"""
FILES = """
[[environments.production.secret_files]]
path = "app/.env"
secrets = ["TOKEN", "PASSWORD"]
owner = "nobody"

[[environments.production.secret_files]]
path = "run/secrets"
secrets = ["KEY"]
format = "folder"
hosts = ["*1"]
"""
# All that a program may do to a secret that it prints, on both of its outputs.
PRINT = """
import base64, html, json, os, sys, urllib.parse
for name in ("TOKEN", "PASSWORD", "KEY"):
    value = os.environ[name]
    data = value.encode()
    print(value, repr(value), json.dumps({name: value}), urllib.parse.quote(value))
    print(json.dumps({"log": json.dumps({name: value})}), html.escape(value), data.hex())
    print(base64.b64encode(data).decode(), base64.b64encode(b"user:" + data).decode())
    print(base64.urlsafe_b64encode(data).decode(), file=sys.stderr)
    print("x" * 3900 + " " + value * 3 + "y" * 5000)
"""
STEPS = """
[[environments.production.steps]]
name = "show"
moment = "prepare"
command = 'set -x; : "$TOKEN"; python3 app/show.py'
secrets = ["TOKEN", "PASSWORD", "KEY"]

[[environments.production.steps]]
name = "somebody-else"
moment = "prepare"
command = 'python3 "$CASTOFF_RELEASE/app/show.py"'
user = "nobody"
secrets = ["TOKEN", "PASSWORD", "KEY"]

[[environments.production.steps]]
name = "wait"
moment = "once"
command = 'while [ -e "$CASTOFF_SHARED/hold" ]; do touch "$CASTOFF_SHARED/held"; sleep 0.05; done'
secrets = ["PASSWORD"]

[[environments.production.steps]]
name = "here"
moment = "before_activate"
run_on = "controller"
command = 'set -x; : "$TOKEN"; python3 show.py'
secrets = ["TOKEN", "PASSWORD", "KEY"]

[[environments.production.steps]]
name = "check"
moment = "after_activate"
command = 'python3 app/show.py; test $CASTOFF_VERSION = 1.0 || test ! -e "$CASTOFF_SHARED/bad"'
secrets = ["TOKEN", "PASSWORD", "KEY"]
"""


SEARCH = SecretSearch(
    {"TOKEN": TOKEN, "PASSWORD": PASSWORD, "KEY": KEY},
    {"TOKEN": "7f3k9x2m5b8v", "PASSWORD": "8w7e6r5t4y", "KEY": "IjKlMnOpQr"},
)


def meant_to_hold(host: FleetHost) -> list[Path]:
    """Return the files on a host that are there to hold secrets, seen to be private and right."""
    nobody, root = pwd.getpwnam("nobody").pw_uid, 0
    owners = {"app/.env": nobody}
    if host.name == "web1":
        owners["run/secrets/KEY"] = root
    found = []
    for version in ("1.0", "2.0"):
        for name, owner in owners.items():
            sets = host.path(f"{host.root}/pages/.castoff/config/{version}")
            (path,) = (one / "inside" / name for one in sets.iterdir() if not one.is_symlink())
            status = path.stat()
            assert (stat.S_IMODE(status.st_mode), status.st_uid) == (0o600, owner)
            found.append(path)
    return found


def served(host: FleetHost, command: str) -> str:
    """Return what a command prints in the folder of the release that a host serves."""
    return host.run(f"cd {host.root}/pages/current && {command}").stdout


def flag(host: FleetHost, name: str) -> Path:
    return host.path(f"{host.root}/pages/shared/{name}")


def killed(process: subprocess.Popen[str], reached: Callable[[], bool]) -> Outcome:
    """Kill a command once it has come to some point; return what it had said."""
    with ThreadPoolExecutor(1) as pool:
        # It would wait if nobody took what it says.
        said = pool.submit(process.communicate)
        try:
            wait_until(reached, "it did not come to that point")
        finally:
            process.send_signal(signal.SIGKILL)
        return Outcome(-9, *said.result())


@pytest.fixture
def fleet(make_fleet: MakeFleet) -> Fleet:
    """Return two hosts."""
    made = make_fleet(2)
    if not made.isolated:
        pytest.skip("each host needs users of its own (root and network namespaces)")
    return made


@pytest.fixture
def secretive(site: Site, fleet: Fleet) -> Site:
    """Return a site whose steps have secrets, and print them."""
    vault = site.folder.parent / "vault"
    vault.mkdir()
    (vault / "token").write_text(f"{TOKEN}\n")
    (vault / "key").write_text(f"{KEY}\n")
    site.variables["VAULT_PASSWORD"] = PASSWORD
    write_config(site, fleet, steps=SECRETS + FILES + STEPS)
    site.write({"show.py": PRINT})
    return site


def test_a_whole_run_leaves_no_secret_anywhere(secretive: Site, fleet: Fleet) -> None:
    site, said = secretive, list[Outcome]()
    for version in ("1.0", "2.0"):
        site.publish(version)

    def run(*words: str) -> Outcome:
        said.append(site.castoff(*words))
        return said[-1]

    with SEARCH.process_list_watched() as in_process_lists:
        plan = run("plan", "1.0")
        assert "secrets that it looks up first: TOKEN, PASSWORD, KEY\n" in plan.out
        first = run("release", "1.0")
        assert first.code == 0, first.err
        assert "show | + : ***" in first.err
        assert "here | + : ***" in first.err
        assert first.err.count("***") > 50

        # One host fails after the flip, having printed them: all go back.
        flag(fleet.hosts[1], "bad").touch()
        assert run("release", "2.0", "--json").code == 15
        flag(fleet.hosts[1], "bad").unlink()
        assert set(live(fleet).values()) == {"1.0"}

        # The controller dies in the middle, and another goes on with its run.
        flag(fleet.hosts[0], "hold").touch()
        said.append(killed(site.start("release", "2.0"), flag(fleet.hosts[0], "held").exists))
        assert run("status").code == 18
        flag(fleet.hosts[0], "hold").unlink()
        resumed = run("resume")
        assert resumed.code == 0, resumed.err
        assert set(live(fleet).values()) == {"2.0"}
        for host in fleet.hosts:
            assert served(host, '. app/.env; printf %s "$TOKEN $PASSWORD"') == f"{TOKEN} {PASSWORD}"
        assert served(fleet.hosts[0], "cat run/secrets/KEY") == KEY
        assert "run" not in served(fleet.hosts[1], "ls").split()
        back = run("rollback")
        assert back.code == 0, back.err

        asked = run("run", "--secret", "PASSWORD", 'echo "it is $PASSWORD, not ${TOKEN-there}"')
        assert asked.out.count("it is ***, not there\n") == len(fleet.hosts)
        report = site.folder / "report.html"
        for words in (
            ("history", "--json"),
            ("report", "2", "--output", str(report)),
        ):
            assert run(*words).code == 0
    assert report.stat().st_size > 0

    assert in_process_lists == []
    assert [name for one in said for name in SEARCH.found_in((one.out + one.err).encode())] == []
    for folder in (site.folder, site.home):
        assert SEARCH.found_below(folder) == []
    for host in fleet.hosts:
        assert SEARCH.found_below(host.path(host.root), but=meant_to_hold(host)) == []
        # Where a program may leave things behind its back.
        host.run("mkdir -p /srv/left && cp -a /tmp /root /run /srv/left 2>/dev/null || true")
        assert SEARCH.found_below(host.path("/srv/left")) == []


def test_new_values_come_with_a_flip_and_go_with_the_way_back(
    secretive: Site, fleet: Fleet
) -> None:
    site, vault = secretive, secretive.folder.parent / "vault"
    value = '. app/.env; printf %s "$TOKEN"'

    def values() -> set[str]:
        return {served(host, value) for host in fleet.hosts}

    site.publish("2.0")
    assert site.castoff("release", "2.0").code == 0
    (vault / "token").write_text("a second value")
    flag(fleet.hosts[1], "bad").touch()
    assert site.castoff("release", "2.0").code in (15, 16)
    assert values() == {TOKEN}
    flag(fleet.hosts[1], "bad").unlink()
    again = site.castoff("release", "2.0")
    assert again.code == 0, again.err
    assert values() == {"a second value"}


def test_whom_a_step_becomes_by_sudo_gets_its_secrets_unseen(site: Site, fleet: Fleet) -> None:
    if shutil.which("sudo") is None:
        pytest.skip("sudo is not installed")
    for host in fleet.hosts:
        host.add_user("deploy", sudo="ALL=(nobody) NOPASSWD: ALL")
        host.run("install -d -o deploy /srv/pages")
    site.variables["VAULT_PASSWORD"] = TOKEN
    secrets = '[environments.production.secrets]\nPASSWORD = { env = "VAULT_PASSWORD" }\n'
    step = """
[[environments.production.steps]]
name = "becomes"
moment = "prepare"
command = 'sleep 1; echo "$(id -un) has $PASSWORD"; printf %s "$PASSWORD" | wc -m'
user = "nobody"
secrets = ["PASSWORD"]
"""
    write_config(site, fleet, steps=secrets + step)
    config = site.folder / "castoff.toml"
    config.write_text(config.read_text().replace('user = "root"', 'user = "deploy"'))
    site.publish("1.0")

    with SEARCH.process_list_watched() as in_process_lists:
        released = site.castoff("release", "1.0")

    assert released.code == 0, released.err
    assert released.err.count("becomes | nobody has ***\n") == len(fleet.hosts)
    assert released.err.count(f"becomes | {len(TOKEN)}\n") == len(fleet.hosts)
    assert in_process_lists == []


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    for number, text in enumerate(SEARCH.spellings.values()):
        (tmp_path / str(number)).write_bytes(b"so: " + text + b"!")
    assert len({line.partition(":")[0] for line in SEARCH.found_below(tmp_path)}) == len(
        SEARCH.spellings
    )


def test_a_secret_that_cannot_be_had_stops_a_run_before_anything_is_done(
    secretive: Site, fleet: Fleet
) -> None:
    site = secretive
    site.publish("1.0")
    (site.folder.parent / "vault" / "token").unlink()
    del site.variables["VAULT_PASSWORD"]

    refused = site.castoff("release", "1.0")

    assert refused.code == 22
    assert "nothing was done: 2 secrets of production cannot be had\n" in refused.err
    assert "  TOKEN (file ../vault/token): " in refused.err
    assert (
        "  PASSWORD (env VAULT_PASSWORD): the variable VAULT_PASSWORD is not set\n" in refused.err
    )
    assert "UNUSED" not in refused.err
    assert not any(host.path(f"{host.root}/pages").exists() for host in fleet.hosts)
    assert site.castoff("history", "--json").json == []
    assert site.castoff("preflight").code == 22
    checked = site.castoff("secrets", "--check", "--json")
    assert checked.code == 22
    assert {row["name"]: row["ok"] for row in checked.json} == {
        "TOKEN": False,
        "PASSWORD": False,
        "KEY": True,
        "UNUSED": False,
    }
    assert {row["name"]: row["used_by"] for row in checked.json}["UNUSED"] == []
