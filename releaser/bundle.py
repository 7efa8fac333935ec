"""The agent's source as one text to send, and the constant command that runs it on a host.

docs/reference/agent-protocol.md describes both.
"""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import re
import shlex
import threading
import zlib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import TypedDict

_PACKAGE = "castoff.releaser.agent"
_IMPORTER = "importer"
_LOADER = "loader"
_BUILT_INS = "builtins"
_RELAY = "relay"
# Where hosts keep it, below the app's folder.
KEPT = ".castoff/agent"
# Read by whatever Python there is, so it says in words of all ages what is too old.
_BOOTSTRAP = (
    "import sys;"
    'sys.version_info<(3,8)and sys.exit("castoff: this is Python "+sys.version.split()[0]);'
    "r=sys.stdin.buffer.readline;{skip}n=int(r());"
    "import zlib;"
    'exec(compile(zlib.decompress(sys.stdin.buffer.read(n)),"castoff-agent","exec"))'
)
# Of modules that our formatter has written; a test sees that nothing else goes.
_DOCSTRING = re.compile(r'(\A|:\n)( *)"""((?:[^"\\]|"(?!""))*)"""$', re.MULTILINE)
_COMMENT = re.compile(r"^ *#.*$|  # (?:noqa|type): ?.*$", re.MULTILINE)
# Else all threads that connect to hosts would begin by making the same text.
_once = threading.Lock()
_SKIP_TO_EMPTY_LINE = 'list(iter(lambda:r().strip(),b""));'


class BuiltIns(TypedDict):
    """How the text of the built-in steps' modules is told of: its SHA-256, and its bytes."""

    digest: str
    size: int


@cache
def bundle() -> bytes:
    """Return the agent as Python source, compressed by zlib; the same bytes every time.

    First the importer, then the sources of all modules, packed as it expects them, then the
    call that starts the agent. Each module is compiled under its own name when it is imported,
    so that tracebacks name it and show its lines.
    """
    sources = _sources("")
    packed = json.dumps(json.dumps(sources, sort_keys=True))
    text = (
        f"{sources[_IMPORTER]}\ninstall({packed})\n"
        "import castoff_agent.own_code\n"
        "castoff_agent.own_code.started = globals()\n"
        "from castoff_agent.main import serve\nserve()\n"
    )
    # Every run needs its digest, and hosts keep it: the best compression would take three times
    # as long each time, for one byte in seventy once.
    return zlib.compress(text.encode())


@cache
def loader(root: str) -> bytes:
    """Return what starts the agent on a host that has it already, and else asks for it.

    Args:
        root: Folder of the app on the host; the agent is kept below it.
    """
    with _once:
        digest, size = _digest(), len(bundle())
    call = f"load({posixpath.join(root, KEPT)!r}, {digest!r}, {size})\n"
    return zlib.compress(f"{_sources('')[_LOADER]}\n{call}".encode(), 9)


@cache
def _digest() -> str:
    return hashlib.sha256(bundle()).hexdigest()


def built_ins() -> str:
    """Return the modules of all built-in steps, packed as the operation `load` expects them.

    They follow the agent to hosts where such a step runs: most need none of them.
    """
    with _once:
        return base64.b64encode(_built_ins()).decode()


def built_ins_name() -> BuiltIns:
    """Return what tells hosts that have kept those modules from those that lack them."""
    with _once:
        return _built_ins_name()


@cache
def _built_ins_name() -> BuiltIns:
    return {"digest": hashlib.sha256(_built_ins()).hexdigest(), "size": len(_built_ins())}


@cache
def _built_ins() -> bytes:
    sources = json.dumps(_sources(_BUILT_INS), sort_keys=True)
    return zlib.compress(sources.encode(), 9)


@cache
def _sources(folder: str) -> Mapping[str, str]:
    within = resources.files(_PACKAGE)
    prefix = ""
    if folder:
        within, prefix = within / folder, f"{folder}."
    return {
        prefix + item.name[: -len(".py")]: _bare(item.read_text(encoding="utf-8"))
        for item in within.iterdir()
        if item.name.endswith(".py")
    }


def _bare(source: str) -> str:
    """Return a module without what only people read, each line still where it was.

    Every byte of the agent goes to every host, and half of them are words.
    """

    def emptied(words: re.Match[str]) -> str:
        return words[1] + words[2] + '""' + "\n" * words[3].count("\n")

    return _COMMENT.sub("", _DOCSTRING.sub(emptied, source))


@cache
def relay() -> bytes:
    """Return the relay as Python source, compressed by zlib, made as the agent is."""
    packed = json.dumps(json.dumps({"__init__": "", **_sources(_RELAY)}, sort_keys=True))
    text = (
        f"{_sources('')[_IMPORTER]}\ninstall({packed})\n"
        "from castoff_agent.relay.main import serve\nserve()\n"
    )
    return zlib.compress(text.encode(), 9)


def bootstrap(python: str, *, after_password: bool = False) -> str:
    """Return the command that starts the agent, for any login shell.

    It then expects the length in bytes and a newline of what it is to run, that, and what that
    expects in its turn: the bundle at once, or the loader.

    Args:
        python: Path or name of an interpreter on the host, 3.8 or newer.
        after_password: Whether an empty line comes before all that, and before it maybe the
            password for a sudo that did not ask for it.
    """
    code = _BOOTSTRAP.format(skip=_SKIP_TO_EMPTY_LINE if after_password else "")
    return f"{shlex.quote(python)} -I -S -E -c {shlex.quote(code)}"
