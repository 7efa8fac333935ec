"""The agent's source as one text to send, and the constant command that runs it on a host.

docs/reference/agent-protocol.md describes both.
"""

from __future__ import annotations

import shlex
from functools import cache
from importlib import resources

_PACKAGE = "castoff.releaser.agent"
_IMPORTER = "importer"
_BOOTSTRAP = (
    "import sys;n=int(sys.stdin.buffer.readline());"
    'exec(compile(sys.stdin.buffer.read(n),"castoff-agent","exec"))'
)


@cache
def bundle() -> bytes:
    """Return the agent as Python source, the same bytes every time.

    First the importer, then the sources of all modules in the order of their names, then the
    call that starts the agent. Each module is compiled under its own name when it is imported,
    so that tracebacks name it and show its lines.
    """
    sources = {
        item.name[: -len(".py")]: item.read_text(encoding="utf-8")
        for item in resources.files(_PACKAGE).iterdir()
        if item.name.endswith(".py")
    }
    importer = sources.pop(_IMPORTER)
    modules = "".join(f"    {name!r}: {sources[name]!r},\n" for name in sorted(sources))
    return (
        f"{importer}\ninstall({{\n{modules}}})\nfrom castoff_agent.main import serve\nserve()\n"
    ).encode()


def bootstrap(python: str) -> str:
    """Return the command that starts the agent, for a POSIX shell.

    It then expects the bundle's length in bytes and a newline, the bundle, and requests.

    Args:
        python: Path or name of an interpreter on the host, 3.8 or newer.
    """
    return f"{shlex.quote(python)} -I -S -E -c {shlex.quote(_BOOTSTRAP)}"
