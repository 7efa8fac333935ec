"""What pyinfra runs its commands through: Castoff's connections, in place of its own."""

from __future__ import annotations

import base64
import shlex
from collections.abc import Iterator, Mapping
from io import IOBase
from typing import Any, ClassVar

from pyinfra.api.command import StringCommand
from pyinfra.connectors.base import BaseConnector
from pyinfra.connectors.util import CommandOutput, OutputLine, make_unix_command_for_host

from castoff.provisioner.engine.link import Link, Lost

_LIMIT = 300.0


class LinkConnector(BaseConnector):
    """One host's link, found by the host's name."""

    handles_execution = True
    links: ClassVar[Mapping[str, Link]] = {}

    @staticmethod
    def make_names_data(name: str) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
        """Yield the host of a name."""
        yield name, {}, []

    def run_shell_command(
        self,
        command: StringCommand,
        print_output: bool = False,  # noqa: ARG002 (pyinfra's signature)
        print_input: bool = False,  # noqa: ARG002
        **arguments: Any,
    ) -> tuple[bool, CommandOutput]:
        """Run a command as root; what goes wrong with the connection is told as its output."""
        limit = arguments.pop("_timeout", None) or _LIMIT
        fine = arguments.pop("_success_exit_codes", None) or (0,)
        for unused in ("_get_pty", "_stdin"):
            arguments.pop(unused, None)
        whole = make_unix_command_for_host(self.state, self.host, command, **arguments)
        return self._run(f"{whole.get_raw_value()} </dev/null\n", limit, tuple(fine))

    def put_file(
        self,
        filename_or_io: str | IOBase,
        remote_filename: str,
        remote_temp_filename: str | None = None,  # noqa: ARG002
        print_output: bool = False,  # noqa: ARG002
        print_input: bool = False,  # noqa: ARG002
        **arguments: Any,
    ) -> bool:
        """Write a file, which nobody but root may read until its mode is set."""
        if isinstance(filename_or_io, str):
            raise TypeError("files are given as objects")
        filename_or_io.seek(0)
        data = filename_or_io.read()
        encoded = base64.encodebytes(data.encode() if isinstance(data, str) else data).decode()
        path = shlex.quote(remote_filename)
        script = f"umask 077; rm -f {path}; base64 -d >{path} <<'EOF'\n{encoded}EOF\n"
        done, _ = self._run(script, arguments.get("_timeout") or _LIMIT, (0,))
        return done

    def get_file(self, *_arguments: Any, **_keywords: Any) -> bool:
        """Refuse: provisioning reads nothing back but what commands print."""
        raise NotImplementedError

    def _run(self, script: str, limit: float, fine: tuple[int, ...]) -> tuple[bool, CommandOutput]:
        try:
            answer = self.links[self.host.name].run(script, timeout=limit)
        except Lost as error:
            return False, CommandOutput([OutputLine("stderr", str(error))])
        lines = [OutputLine("stdout", line) for line in answer.stdout.splitlines()]
        lines += [OutputLine("stderr", line) for line in answer.stderr.splitlines()]
        return answer.status in fine, CommandOutput(lines)
