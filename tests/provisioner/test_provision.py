"""`castoff provision` on real hosts: made ready, twice, looked at before, between and after."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from castoff.store.errors import ExitCode
from support.flat_repository import flat_repository
from support.fleet import write_known_hosts
from support.provisioning import Provisioning, hosts_python

pytestmark = pytest.mark.fleet

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAbcdefghijklmnopqrstuvwxyz0123456789AB visitor"
WHOLE = f"""
packages = ["tidy-tool"]
directories = [{{ path = "/srv/data/{{app}}", mode = "0700" }}]

[environments.test.provision.user]
authorized_keys = ["{KEY}"]

[environments.test.provision.nginx]
package = "nginx-light"
upstream = "127.0.0.1:8123"

[[environments.test.provision.units]]
name = "shop"
command = "bin/gunicorn shop.wsgi --bind {{socket}}"

[environments.test.provision.sudo]
user = "deploy"
restart = true

[environments.test.provision.firewall]
allow = ["80", "53/udp"]
"""


def states(done: subprocess.CompletedProcess[str]) -> dict[str, dict[str, str]]:
    """Return the state of each thing on each host, from the JSON that was printed."""
    document: dict[str, Any] = json.loads(done.stdout)
    return {
        host["name"]: {thing["name"]: thing["state"] for thing in host["things"]}
        for host in document["hosts"]
    }


def what_is_there(bare: Provisioning) -> str:
    """Return a listing of all that was ever written on the first host, with times."""
    host = bare.fleet.hosts[0]
    return host.run(
        "find /etc /srv /var/lib/shop /var/lib/dpkg -newer /run/sshd -printf '%p %T@ %m %u %g\\n'"
        " | sort; nft list ruleset"
    ).stdout


def test_a_bare_host_is_made_ready_once_and_then_left_alone(bare: Provisioning) -> None:
    for one in bare.fleet.hosts:
        flat_repository(one.path("/"), "/srv/repository", "tidy-tool")
    bare.write(WHOLE)
    host = bare.fleet.hosts[0]
    before = what_is_there(bare)

    look = bare.run("--check", "--json")
    assert look.returncode == ExitCode.DIFFERS, look.stderr
    found = states(look)
    assert found["web1"] == found["web2"]
    assert found["web1"].pop(f"python {hosts_python()}") == "ok"
    assert set(found["web1"].values()) == {"would change"}
    assert what_is_there(bare) == before

    made = bare.run()
    assert made.returncode == 0, made.stdout + made.stderr
    assert "web2: user shop: changed\n" in made.stdout
    user = host.run("getent passwd shop; dpkg-query -W -f '${Status}' tidy-tool").stdout
    assert ":/var/lib/shop:/bin/sh\n" in user
    assert user.endswith("install ok installed")
    assert KEY in host.run("cat /var/lib/shop/.ssh/authorized_keys").stdout
    kinds = host.run(
        "stat -c '%U %a' /srv/shop /srv/shop/shared/app/media /srv/shop/shared/app/logs"
        " /srv/data/shop /etc/sudoers.d/castoff-shop; systemctl is-enabled shop"
    ).stdout.splitlines()
    assert kinds == ["root 755", "shop 755", "shop 750", "shop 700", "root 440", "enabled"]
    assert "systemctl restart shop.service" in host.run("sudo -l -U deploy; true").stdout + (
        host.run("cat /etc/sudoers.d/castoff-shop").stdout
    )
    rules = host.run("nft list table inet castoff").stdout
    assert "tcp dport 22 accept" in rules
    assert "udp dport 53 accept" in rules

    after = what_is_there(bare)
    again = bare.run()
    assert again.returncode == 0, again.stdout + again.stderr
    assert " 0 changed," in again.stdout
    assert what_is_there(bare) == after

    # Served: nginx passes on what the app answers, through the firewall.
    host.run("mkdir -p /srv/shop/current && echo the app >/srv/shop/current/index.html")
    host.run(
        "cd /srv/shop/current && setsid python3 -m http.server 8123 >/dev/null 2>&1 </dev/null &"
    )
    fetch = ["curl", "-sS", "--retry", "9", "--retry-all-errors", "--retry-delay", "1"]
    page = subprocess.run(
        [*fetch, "--fail", f"http://{host.address}/index.html"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert page.stdout == "the app\n"

    # Drift is named, alone, and undone.
    host.run(
        "chmod 777 /srv/shop/shared/app/media; echo '# mine' >>/etc/nginx/sites-available/shop"
    )
    drift = states(bare.run("--check", "--json"))
    assert {name for name, state in drift["web1"].items() if state != "ok"} == {
        "directory /srv/shop/shared/app/media",
        "nginx site shop",
    }
    assert set(drift["web2"].values()) == {"ok"}
    assert bare.run("web1").returncode == 0
    mode = host.run(
        "stat -c %a /srv/shop/shared/app/media; tail -n 1 /etc/nginx/sites-enabled/shop"
    )
    assert mode.stdout == "755\n}\n"


def test_what_fails_is_named_and_the_rest_of_that_host_left_out(bare: Provisioning) -> None:
    flat_repository(bare.fleet.hosts[0].path("/"), "/srv/repository")
    flat_repository(bare.fleet.hosts[1].path("/"), "/srv/repository", "no-such-tool")
    bare.write('packages = ["no-such-tool"]\nuser = {}\n')

    done = bare.run("--json")

    assert done.returncode == ExitCode.PROVISION
    assert "web1: packages no-such-tool: " in done.stderr
    assert "Unable to locate package no-such-tool" in done.stderr
    assert "Traceback" not in done.stderr
    found = states(done)
    assert found["web1"]["user shop"] == "left out"
    assert found["web2"]["user shop"] == "changed"
    assert bare.fleet.hosts[0].run("id shop", check=False).returncode != 0


@pytest.mark.sweep
def test_once_it_is_mended_the_same_command_goes_on_from_there(bare: Provisioning) -> None:
    root = bare.fleet.hosts[0].path("/")
    flat_repository(root, "/srv/repository")
    bare.write('packages = ["no-such-tool"]\nuser = {}\n')
    assert bare.run("web1").returncode == ExitCode.PROVISION

    flat_repository(root, "/srv/mended", "no-such-tool")

    assert bare.run("web1").returncode == 0


def test_nothing_is_begun_where_a_host_cannot_be_reached_or_is_not_known(
    bare: Provisioning, tmp_path: Path
) -> None:
    bare.write("user = {}\n")
    first, second = bare.fleet.hosts
    second.cut()

    gone = bare.run()

    assert gone.returncode == ExitCode.UNREACHABLE
    assert "web2: cannot connect to" in gone.stderr
    assert "nothing was changed on any host" in gone.stderr
    assert first.run("id shop", check=False).returncode != 0

    second.heal()
    # The first host's key is the second one's by now, and that one's is not known at all.
    keys = [line.split()[1:3] for line in bare.fleet.known_hosts.read_text().splitlines()]
    write_known_hosts(tmp_path / "known_hosts", [(first.address, 22, " ".join(keys[1]))])
    bare.fleet.known_hosts.write_text((tmp_path / "known_hosts").read_text())

    strange = bare.run()

    assert strange.returncode == ExitCode.HOST_KEY
    assert "web1: THE HOST KEY OF" in strange.stderr
    assert "HAS CHANGED" in strange.stderr
    assert "web2: the host key of" in strange.stderr
    assert first.run("id shop", check=False).returncode != 0


@pytest.mark.sweep
def test_a_look_tells_of_the_other_hosts_where_one_cannot_be_reached(bare: Provisioning) -> None:
    bare.write("user = {}\n")
    bare.fleet.hosts[1].cut()
    looked = bare.run("--check", "--json")
    assert looked.returncode == ExitCode.UNREACHABLE
    assert states(looked)["web1"]["user shop"] == "would change"


def test_whoever_logs_in_becomes_root_by_a_password_that_no_command_line_shows(
    bare: Provisioning,
) -> None:
    host = bare.fleet.hosts[0]
    public = bare.fleet.key_path.with_name(f"{bare.fleet.key_path.name}.pub").read_text()
    host.run(
        'useradd -m -s /bin/sh -p "$(openssl passwd -6 s3cret-of-admin)" admin\n'
        "echo 'admin ALL=(ALL) ALL' >/etc/sudoers.d/admin; chmod 440 /etc/sudoers.d/admin\n"
        f"mkdir -p ~admin/.ssh; echo '{public.strip()}' >~admin/.ssh/authorized_keys\n"
        "chown -R admin: ~admin/.ssh; chmod 700 ~admin/.ssh"
    )
    # Every command line that there was, as the kernel told it while the command ran.
    watch = """while [ -e /srv/w ]; do cat /proc/[0-9]*/cmdline | tr "\\0" " "; sleep 0.05; done"""
    host.run(f"touch /srv/w; setsid sh -c '{watch}' >/srv/lines 2>/dev/null </dev/null &")
    bare.write('login = "admin"\nsudo_password = { env = "ADMIN" }\nuser = {}\n')

    done = bare.run("web1", env={"ADMIN": "s3cret-of-admin"})
    host.run("rm /srv/w")
    wrong = bare.run("web1", env={"ADMIN": "wrong"})

    assert done.returncode == 0, done.stdout + done.stderr
    assert host.run("stat -c %U /srv/shop /var/lib/shop").stdout == "root\nshop\n"
    seen = host.path("/srv/lines").read_text(errors="replace")
    assert "sudo -S" in seen
    assert "s3cret-of-admin" not in seen + done.stdout + done.stderr
    assert wrong.returncode == ExitCode.UNREACHABLE
    assert "web1: sudo does not make us root" in wrong.stderr
