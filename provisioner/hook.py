"""A team's own tool in place of ours: Ansible, Salt, Chef, Puppet, called once for all hosts."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from castoff.config.model import Provision
from castoff.provisioner.errors import CannotProvision
from castoff.releaser.controller_step import OutOfTime, how_it_ended, run_command

# What a command that only looks ends with if something differs, as terraform's plan does.
_DIFFERS = 2


def call(
    provision: Provision,
    inventory: dict[str, object],
    for_ansible: dict[str, object],
    base: Path,
    say: Callable[[str], None],
    *,
    check: bool,
    at_once: int,
) -> bool:
    """Run the command of the environment's table; return whether a check found something.

    Args:
        provision: The table, which has a `command`.
        inventory: Goes to its standard input, and into the file CASTOFF_INVENTORY.
        for_ansible: Goes into the file CASTOFF_ANSIBLE_INVENTORY.
        base: Folder of castoff.toml, in which it runs.
        say: Called with each line that it prints.
        check: Whether it is `check_command` that is run.
        at_once: How many hosts may be connected to at once: CASTOFF_CONCURRENCY.

    Raises:
        CannotProvision: It fails or takes too long, or there is no `check_command`.
    """
    key = "check_command" if check else "command"
    command = provision.check_command if check else provision.command
    if command is None:
        raise CannotProvision(
            f"there is no `{key}` in [environments.NAME.provision], so nothing can be checked",
            hint="Such as: check_command = "
            '"ansible-playbook --check --diff -i $CASTOFF_ANSIBLE_INVENTORY site.yml"',
        )
    text = json.dumps(inventory, indent=2)
    with tempfile.TemporaryDirectory(prefix="castoff-provision-") as folder:
        plain, ansible = Path(folder, "inventory.json"), Path(folder, "ansible.json")
        plain.write_text(text, encoding="utf-8")
        ansible.write_text(json.dumps(for_ansible, indent=2), encoding="utf-8")
        variables = {
            "CASTOFF_INVENTORY": str(plain),
            "CASTOFF_ANSIBLE_INVENTORY": str(ansible),
            "CASTOFF_CHECK": "1" if check else "",
            "CASTOFF_CONCURRENCY": str(at_once),
        }
        try:
            status = run_command(
                command,
                folder=base,
                variables=variables,
                limit=provision.timeout,
                say=say,
                given=text,
            )
        except OutOfTime as error:
            raise CannotProvision(
                f"provision's {key} did not end within {provision.timeout:g} s",
                hint="Raise `timeout` in [environments.NAME.provision], or see what it waited for.",
            ) from error
    if check and status == _DIFFERS:
        return True
    if status != 0:
        raise CannotProvision(
            f"provision's {key} {how_it_ended(status)}", hint="What it said stands above."
        )
    return False
