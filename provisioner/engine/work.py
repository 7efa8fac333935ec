"""Things made so, or only compared, on many hosts at once by pyinfra."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, cast

from pyinfra.api.command import FileUploadCommand
from pyinfra.api.config import Config
from pyinfra.api.connect import connect_all
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.host import Host
from pyinfra.api.inventory import Inventory
from pyinfra.api.operation import operation
from pyinfra.api.operations import run_ops
from pyinfra.api.state import BaseStateCallback, State
from pyinfra.context import ctx_host, ctx_state

from castoff.provisioner.engine.connector import LinkConnector
from castoff.provisioner.engine.link import Link
from castoff.provisioner.engine.options import Options
from castoff.provisioner.engine.plumbing import Plumbing
from castoff.provisioner.engine.report import Report
from castoff.provisioner.engine.things import (
    directory,
    file,
    firewall,
    packages,
    python,
    site,
    unit,
    user,
)
from castoff.provisioner.thing import Thing

_KINDS: Mapping[str, Callable[[Options], Iterator[object]]] = {
    "directory": directory.commands,
    "file": file.commands,
    "firewall": firewall.commands,
    "packages": packages.commands,
    "python": python.commands,
    "site": site.commands,
    "unit": unit.commands,
    "user": user.commands,
}
_LAST_LINES = 12
_LONGEST = 160


@operation()
def make(thing: Thing) -> Generator[object, None, None]:
    """Yield what makes a thing as it should be; a question that fails is a command that does."""
    try:
        yield from _KINDS[thing.kind](Options(thing.options))
    except PyinfraError as error:
        yield f"echo {shlex.quote(str(error))} >&2; exit 1"


def work(
    things: Mapping[str, Sequence[Thing]],
    links: Mapping[str, Link],
    report: Report,
    *,
    check: bool,
    timeout: float,
) -> None:
    """Make things so, or only say what differs.

    Args:
        things: What each host is to have, by the host's name.
        links: Links to these hosts.
        report: What is told of every thing.
        check: Whether nothing is to be changed.
        timeout: Seconds for each command.
    """
    LinkConnector.links = links
    inventory = Inventory((list(links), {}))  # type: ignore[no-untyped-call]
    for host in inventory:
        host.connector_cls = LinkConnector
    config = Config()  # type: ignore[no-untyped-call]
    state = State(inventory, config, check_for_changes=False)
    connect_all(state)
    pool = state.pool
    names = {host: [thing.name for thing in things[host.name]] for host in inventory}

    # Its own types know operations without arguments alone.
    begin = cast("Callable[..., object]", make)

    def prepare(host: Host) -> None:
        with ctx_state.use(state), ctx_host.use(host):
            for thing in things[host.name]:
                begin(thing, name=thing.name, _timeout=int(timeout))

    def compare(host: Host) -> None:
        with ctx_state.use(state), ctx_host.use(host):
            for name, key in zip(names[host], host.op_hash_order, strict=True):
                wanted = list(state.get_op_data_for_host(host, key).command_generator())
                told = [_told(one) for one in wanted if not isinstance(one, Plumbing)]
                report.thing(host.name, name, "would change" if wanted else "ok", told)

    pool.map(prepare, list(inventory))
    if check:
        pool.map(compare, list(inventory))
        return
    outcomes = _Outcomes(state, names, report)
    state.add_callback_handler(outcomes)  # type: ignore[no-untyped-call]
    # It is raised where no host is left to work on; what failed is told of below.
    with contextlib.suppress(PyinfraError):
        run_ops(state)
    outcomes.rest()


class _Outcomes(BaseStateCallback):
    """Tells of each thing once it is done on all hosts."""

    def __init__(self, state: State, names: Mapping[Host, list[str]], report: Report) -> None:
        self._state = state
        self._names = names
        self._report = report
        self._told: set[tuple[Host, str]] = set()

    def operation_end(self, state: State, op_hash: str) -> None:  # type: ignore[override]
        """Tell what became of one thing on every host."""
        for host in state.inventory:
            self._tell(host, op_hash)

    def rest(self) -> None:
        """Tell of what failed on the last host, and of what was not begun."""
        for host in self._state.inventory:
            for op_hash, name in zip(host.op_hash_order, self._names[host], strict=True):
                if not self._tell(host, op_hash):
                    self._report.thing(host.name, name, "left out")

    def _tell(self, host: Host, op_hash: str) -> bool:
        if (host, op_hash) in self._told:
            return True
        if op_hash not in self._state.ops[host]:
            return False
        meta = self._state.get_op_data_for_host(host, op_hash).operation_meta
        if not meta.is_complete():
            return False
        self._told.add((host, op_hash))
        name = self._names[host][host.op_hash_order.index(op_hash)]
        if not meta.did_succeed():
            said = [line for line in meta.stderr_lines if line.strip()] or meta.stdout_lines
            self._report.thing(host.name, name, "failed", said[-_LAST_LINES:])
        else:
            self._report.thing(host.name, name, "changed" if meta.did_change() else "ok")
        return True


def _told(command: Any) -> str:
    if isinstance(command, FileUploadCommand):
        place = PurePosixPath(command.dest)
        return f"write {place.with_name(place.name[1:].removesuffix(file.BESIDE))}"
    text = str(command)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
