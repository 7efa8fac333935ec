"""A page in real headless Chromium: what its script reports, and what its console said."""

from __future__ import annotations

import functools
import http.server
import os
import queue
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
_SHOWN = ("--enable-logging=stderr", "--window-size=1000,800")
# Far more than it needs, so that a page that reports nothing is at fault itself.
_PATIENCE = 120
_CONSOLE = re.compile(r":CONSOLE(?:\(\d+\)|:\d+)?\] (.*)")


@dataclass
class Site:
    """A folder being served.

    Attributes:
        url: With a slash at its end.
        missing: Paths that were asked for and are not there.
        asked: All paths that were asked for.
        reports: What pages have sent with POST.
    """

    url: str
    missing: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    reports: queue.Queue[bytes] = field(default_factory=queue.Queue)


class _Server(http.server.ThreadingHTTPServer):
    # A browser connects many times at once, and a busy machine is slow to accept.
    request_queue_size = 128


@contextmanager
def serve(folder: Path) -> Iterator[Site]:
    """Serve a folder on this machine."""
    site = Site("")

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            del size
            if self.command == "GET":
                site.asked.append(self.path)
            if int(code) >= 400 and self.path != "/favicon.ico":
                site.missing.append(self.path)

        def do_POST(self) -> None:
            site.reports.put(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Handler, directory=str(folder))
    with _Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        site.url = f"http://127.0.0.1:{server.server_port}/"
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()


def program() -> str | None:
    """Where Chromium is, if it is here."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def visit(site: Site, page: str) -> tuple[bytes, list[str]]:
    """Open a page and wait until it reports; return the report, and the lines on the console."""
    chromium = program()
    assert chromium is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        log = Path(profile) / "log"
        with (
            log.open("wb") as stderr,
            subprocess.Popen(
                [chromium, *FLAGS, *_SHOWN, f"--user-data-dir={profile}", site.url + page],
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            ) as process,
        ):
            try:
                report = site.reports.get(timeout=_PATIENCE)
            except queue.Empty:
                report = b""
            finally:
                # Its helpers too: they hold the profile.
                os.killpg(process.pid, signal.SIGTERM)
        console = _CONSOLE.findall(log.read_text(errors="replace"))
    return report, console
