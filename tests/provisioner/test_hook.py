"""A team's own tool in place of Castoff's: what it is told, and what its end means."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from castoff.store.errors import ExitCode
from support.fleet import Fleet
from support.provisioning import Provisioning

HOSTS = """
[[environments.test.hosts]]
name = "web1"
address = "192.0.2.1"
user = "deploy"
port = 2222
jump = "porter@192.0.2.9:22"
key = "/keys/one"
roles = ["web-front", "worker"]

[[environments.test.hosts]]
name = "web2"
roles = ["worker"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Provisioning:
    """A project whose hosts nobody connects to."""
    fleet = Fleet((), "", tmp_path / "key", tmp_path / "known_hosts", isolated=False)
    return Provisioning(tmp_path, fleet)


def test_the_command_gets_all_hosts_in_both_forms(project: Provisioning) -> None:
    project.write(
        'command = "cat >given; cp $CASTOFF_INVENTORY file; cp $CASTOFF_ANSIBLE_INVENTORY ansible;'
        ' echo playing on $CASTOFF_CONCURRENCY"',
        hosts=HOSTS,
    )

    done = project.run("--concurrency", "3")

    assert done.returncode == 0, done.stderr
    assert done.stdout == "playing on 3\n"
    given = json.loads((project.folder / "given").read_text())
    assert given == json.loads((project.folder / "file").read_text())
    first = given["hosts"][0]
    assert first == {
        "name": "web1",
        "address": "192.0.2.1",
        "user": "deploy",
        "port": 2222,
        "keys": ["/keys/one"],
        "jump": "porter@192.0.2.9:22",
        "transport": "ssh",
        "roles": ["web-front", "worker"],
        "root": "/srv/shop",
    }
    groups = json.loads((project.folder / "ansible").read_text())["all"]
    assert groups["hosts"]["web1"]["ansible_port"] == 2222
    assert "-J porter@192.0.2.9:22" in groups["hosts"]["web1"]["ansible_ssh_common_args"]
    options = shlex.split(groups["hosts"]["web2"]["ansible_ssh_common_args"])
    asked = subprocess.run(
        ["ssh", "-F", "none", "-G", *options, "web2"], check=True, capture_output=True, text=True
    ).stdout
    assert "stricthostkeychecking true\n" in asked
    assert f"globalknownhostsfile /etc/ssh/ssh_known_hosts {project.fleet.known_hosts}\n" in asked
    assert set(groups["children"]["worker"]["hosts"]) == {"web1", "web2"}
    assert set(groups["children"]["web_front"]["hosts"]) == {"web1"}
    assert [host["name"] for host in json.loads(_only(project, "web2"))["hosts"]] == ["web2"]


def _only(project: Provisioning, host: str) -> str:
    assert project.run(host).returncode == 0
    return (project.folder / "given").read_text()


@pytest.mark.parametrize(
    ("status", "code"), [(0, 0), (2, ExitCode.DIFFERS), (1, ExitCode.PROVISION)]
)
def test_a_check_says_by_its_status_whether_something_differs(
    project: Provisioning, status: int, code: int
) -> None:
    project.write(
        f'command = "touch changed"\ncheck_command = "echo looked; exit {status}"', hosts=HOSTS
    )

    done = project.run("--check")

    assert done.returncode == code, done.stderr
    assert done.stdout == "looked\n"
    assert not (project.folder / "changed").exists()


def test_what_goes_wrong_with_a_command_is_named(project: Provisioning) -> None:
    project.write('command = "echo no such role; exit 7"', hosts=HOSTS)
    failed, unchecked = project.run(), project.run("--check")
    project.write('command = "sleep 60"\ntimeout = 0.2', hosts=HOSTS)
    late = project.run()

    assert {failed.returncode, unchecked.returncode, late.returncode} == {ExitCode.PROVISION}
    assert "no such role" in failed.stdout
    assert "command ended with status 7" in failed.stderr
    assert "check_command" in unchecked.stderr
    assert "did not end within 0.2 s" in late.stderr


def test_one_description_holds_and_no_description_is_said_so(project: Provisioning) -> None:
    project.write('command = "true"\npackages = ["tree"]', hosts=HOSTS)
    both = project.run()
    text = (project.folder / "castoff.toml").read_text()
    (project.folder / "castoff.toml").write_text(text.split("[environments.test.provision]")[0])
    none = project.run()

    assert both.returncode == ExitCode.CONFIG
    assert "take 'packages' out" in both.stderr
    assert none.returncode == ExitCode.USAGE
    assert "[environments.test.provision]" in none.stderr
