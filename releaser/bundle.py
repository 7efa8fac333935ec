"""The agent's source as one text to send, and the constant command that runs it on a host.

docs/reference/agent-protocol.md describes both.
"""

from __future__ import annotations

import base64
import json
import shlex
import zlib
from functools import cache
from importlib import resources

_PACKAGE = "castoff.releaser.agent"
_IMPORTER = "importer"
_BUILT_INS = "builtins"
# Read by whatever Python there is, so it says in words of all ages what is too old.
_BOOTSTRAP = (
    "import sys;"
    'sys.version_info<(3,8)and sys.exit("castoff: this is Python "+sys.version.split()[0]);'
    "r=sys.stdin.buffer.readline;{skip}n=int(r());"
    'exec(compile(sys.stdin.buffer.read(n),"castoff-agent","exec"))'
)
_SKIP_TO_EMPTY_LINE = 'list(iter(lambda:r().strip(),b""));'


@cache
def bundle() -> bytes:
    """Return the agent as Python source, the same bytes every time.

    First the importer, then the sources of all modules, packed as it expects them, then the
    call that starts the agent. Each module is compiled under its own name when it is imported,
    so that tracebacks name it and show its lines.
    """
    sources = _sources("")
    importer = sources.pop(_IMPORTER)
    return (
        f"{importer}\ninstall({_packed(sources)!r})\n"
        "from castoff_agent.main import serve\nserve()\n"
    ).encode()


@cache
def built_ins() -> str:
    """Return the modules of all built-in steps, packed as the importer expects them.

    They follow the agent to hosts where such a step runs: most need none of them.
    """
    return _packed(_sources(_BUILT_INS))


def _sources(folder: str) -> dict[str, str]:
    within = resources.files(_PACKAGE)
    prefix = ""
    if folder:
        within, prefix = within / folder, f"{folder}."
    return {
        prefix + item.name[: -len(".py")]: item.read_text(encoding="utf-8")
        for item in within.iterdir()
        if item.name.endswith(".py")
    }


def _packed(sources: dict[str, str]) -> str:
    return base64.b64encode(zlib.compress(json.dumps(sources, sort_keys=True).encode(), 9)).decode()


def bootstrap(python: str, *, after_password: bool = False) -> str:
    """Return the command that starts the agent, for any login shell.

    It then expects the bundle's length in bytes and a newline, the bundle, and requests.

    Args:
        python: Path or name of an interpreter on the host, 3.8 or newer.
        after_password: Whether an empty line comes before all that, and before it maybe the
            password for a sudo that did not ask for it.
    """
    code = _BOOTSTRAP.format(skip=_SKIP_TO_EMPTY_LINE if after_password else "")
    return f"{shlex.quote(python)} -I -S -E -c {shlex.quote(code)}"
