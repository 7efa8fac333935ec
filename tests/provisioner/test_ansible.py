"""A real Ansible in place of Castoff's engine, on real hosts, by the inventory that it is given."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support.provisioning import Provisioning

pytestmark = [pytest.mark.fleet, pytest.mark.sweep]

PLAYBOOK = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.copy: {content: "ready", dest: /etc/shop-is-here}
"""


@pytest.fixture
def ansible(tmp_path: Path) -> Path:
    """Install Ansible into an environment of its own; return its `ansible-playbook`."""
    subprocess.run(["uv", "venv", "--quiet", tmp_path / "ansible"], check=True)
    python = tmp_path / "ansible" / "bin" / "python"
    install = ["uv", "pip", "install", "--quiet", "--python", str(python), "ansible-core>=2.16"]
    subprocess.run(install, check=True)
    return python.with_name("ansible-playbook")


def test_ansible_reaches_all_hosts_and_the_second_run_changes_nothing(
    ansible: Path, bare: Provisioning
) -> None:
    (bare.folder / "site.yml").write_text(PLAYBOOK)
    bare.write(f'command = "{ansible} -i $CASTOFF_ANSIBLE_INVENTORY site.yml"')
    environment = {
        "ANSIBLE_HOME": str(bare.folder),
        "ANSIBLE_NOCOLOR": "1",
        # The hosts' roots are copies of this machine's, which may have others in front.
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        "LC_ALL": "C.UTF-8",
    }

    first = bare.run(env=environment)
    assert first.returncode == 0, first.stdout + first.stderr
    for host in bare.fleet.hosts:
        assert host.run("cat /etc/shop-is-here").stdout == "ready"
    assert first.stdout.count("changed=1") == len(bare.fleet.hosts)

    second = bare.run(env=environment)
    assert second.returncode == 0, second.stdout + second.stderr
    assert second.stdout.count("changed=0") == len(bare.fleet.hosts)
