"""One app on this machine, in two releases that a real agent has prepared and flips between."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from castoff.builder.launcher_text import CALL, PYTHON
from castoff.builder.launchers import Acceptable, _find, _program
from castoff.releaser.agent.processes import Uses
from castoff.releaser.bundle import built_ins
from support.agent_client import AgentClient, Message, agent
from support.archives import Content, make_artifact
from support.traps import wait_until

VERSIONS = ("1.0", "2.0")
# Those of agents that open one app in turn must grow.
_TOKENS = itertools.count(1)
_ACCEPTABLE = Acceptable(".".join(map(str, sys.version_info[:2])), exact=False, least="3.8")

# Serves the version that its own code is of, on a socket that it is given or makes.
_SERVE = """
import http.server, os, socket, sys
from edition import EDITION

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = EDITION.encode()
        self.send_response(200)
        self.send_header("X-Version", EDITION)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass

def main():
    given = os.environ.get("LISTEN_FDS")
    server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler, not given)
    if given:
        server.socket = socket.socket(fileno=3)
    server.serve_forever()
"""

_WEB = """
from edition import EDITION

def app(environ, start_response):
    if environ["PATH_INFO"] == "/slow":
        import time
        time.sleep(float(environ["QUERY_STRING"]))
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Version", EDITION)])
    return [EDITION.encode()]
"""


class Released:
    """The app: `current` names 1.0 at first; 2.0 is there too.

    Attributes:
        root: Its folder.
        client: The agent, which has it open.
    """

    def __init__(self, root: Path, client: AgentClient) -> None:
        self.root = root
        self.current = root / "current"
        self.take(client)

    def take(self, client: AgentClient) -> None:
        """Let an agent do what follows."""
        self.client = client
        client.ask("load", modules=built_ins())

    def add(self, version: str, files: Mapping[str, Content]) -> None:
        """Prepare a release of the app with more files, if it is not there."""
        if (self.root / "releases" / version).exists():
            return
        artifact = make_artifact(version, {**_files(version), **files})
        self.client.ask("prepare", archive=artifact.archive, **artifact.request())

    def flip(self, version: str) -> None:
        """Let `current` name a version."""
        self.client.ask("activate", version=version, release=f"to-{version}")

    def perform(self, what: str, version: str, options: Message, **more: Any) -> Message:
        """Do a built-in step."""
        return self.client.ask("built_in", **self.request(what, version, options, **more))

    def request(self, what: str, version: str, options: Message, **more: Any) -> Message:
        """Return the request for a built-in step."""
        asked = {"what": what, "version": version, "name": "step", "options": options}
        return {**asked, "env": {}, "user": None, "timeout": 30, **more}

    def restart(self, version: str, **options: Any) -> Message:
        """Do a restart step, with little patience."""
        more = {key: options.pop(key) for key in ("timeout", "user", "env") if key in options}
        return self.perform("restart", version, restart_options(**options), **more)

    def serve(self, version: str, port: int) -> subprocess.Popen[bytes]:
        """Start a release's own server, not by way of `current`; the caller ends it."""
        program = self.root / "releases" / version / "bin" / "serve"
        process = subprocess.Popen([program, str(port)], cwd="/", start_new_session=True)
        wait_until(lambda: answer(port) == version, "the server does not answer")
        return process


def restart_options(**options: Any) -> Message:
    """Return the table of a restart step as the controller sends it."""
    return {"grace": 5, "settle": 0.3, "answers": None, **options}


def asking(port: int, **more: Any) -> Message:
    """Return `answers` for a server of a version."""
    http = {"url": f"http://127.0.0.1:{port}/", "status": 200, "successes": 1, "interval": 1}
    return {"http": {**http, **more}, "tcp": None}


@contextlib.contextmanager
def released(root: Path, files: Mapping[str, Content] | None = None) -> Iterator[Released]:
    """Prepare both releases, if an earlier test has not, and flip to the first.

    What a test has started from any release is ended afterwards.
    """
    with agent(root, token=next(_TOKENS)) as client:
        app = Released(root, client)
        for version in VERSIONS:
            app.add(version, files or {})
        app.flip("1.0")
        try:
            yield app
        finally:
            end_all(root)
            for path in (root / "shared").glob("*.pid*"):
                path.unlink()


@contextlib.contextmanager
def again(app: Released) -> Iterator[None]:
    """Let another agent take over from one that was killed."""
    with agent(app.root, token=next(_TOKENS)) as client:
        app.take(client)
        yield


def answer(port: int, path: str = "/") -> str:
    """Return what a server answers, empty if nobody does."""
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
            text: str = response.read().decode()
    except (OSError, HTTPException):
        return ""
    return text


def listens(port: int) -> bool:
    """Whether anybody takes connections on a port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def end_all(root: Path) -> None:
    """End every process that any release of an app is in use by, however it was started."""

    def left() -> set[int]:
        releases = str(root / "releases")
        used = Uses(releases).of(releases)
        return set().union(*used.values()) - {os.getpid()}

    def ended() -> bool:
        for process in left():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return not left()

    wait_until(ended, "some process does not end")


@functools.cache
def gunicorn_files() -> dict[str, Content]:
    """Return gunicorn as a release has it, with its launcher."""
    cache = Path(os.environ["UV_CACHE_DIR"]).parent / "gunicorn"
    if not (cache / "gunicorn" / "app").is_dir():
        command = ["uv", "pip", "install", "--quiet", "--target", str(cache), _locked()]
        subprocess.run(command, check=True)
    found: dict[str, Content] = {
        f"lib/{path.relative_to(cache)}": path.read_bytes()
        for path in cache.rglob("*.py")
        if "__pycache__" not in path.parts
    }
    return {**found, "bin/gunicorn": _launcher("gunicorn.app.wsgiapp", "run")}


def _locked() -> str:
    example = Path(__file__).parents[2] / "examples" / "hello" / "requirements.txt"
    lines = example.read_text(encoding="utf-8").splitlines()
    return next(line.split()[0] for line in lines if line.startswith("gunicorn=="))


@functools.cache
def _files(version: str) -> dict[str, Content]:
    return {
        "app/edition.py": f'EDITION = "{version}"\n'.encode(),
        "app/server.py": _SERVE.encode(),
        "app/web.py": _WEB.encode(),
        "bin/serve": _launcher("server", "main"),
        "bin/python": (PYTHON.format(find=_find(_ACCEPTABLE)).encode(), True),
        "lib/here.txt": b"",
    }


def server_files(version: str) -> dict[str, bytes]:
    """Return the files of a release with its server, none of them executable."""
    files = _files(version).items()
    return {name: text if isinstance(text, bytes) else text[0] for name, text in files}


def _launcher(module: str, function: str) -> Content:
    text = _program(CALL.format(module=module, names=(function,)), _ACCEPTABLE)
    return text.encode(), True
