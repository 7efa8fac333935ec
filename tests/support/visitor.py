"""Somebody who looks at pages in headless Chromium, one after the other, while they are released.

What each request got is held against what releases say: a miss, or bytes that no release has
under that name, is a fault.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from support.browser import Browser, browser
from support.traps import wait_until

_SETTLE = 20.0
# Between two pages. A browser that never rests takes a processor from those it looks at.
PAUSE = 0.25


class Visitor:
    """The one who looks.

    Attributes:
        faults: What went wrong, in words.
        seen: How often each version was met, by the stamp on its pages.
        loaded: How many assets were loaded, and had the right bytes.
    """

    def __init__(self, pages: Sequence[str], bases: Sequence[str], pause: float) -> None:
        self.faults: list[str] = []
        self.seen: Counter[str] = Counter()
        self.loaded = 0
        self._pages = pages
        self._bases = bases
        self._pause = pause
        self._known: dict[str, set[str]] = {}
        self._latest: dict[str, str] = {}
        self._over = threading.Event()

    def know(self, listed: Mapping[str, str]) -> None:
        """Learn which files a release has, with their digests, before it is released."""
        for path, digest in listed.items():
            self._known.setdefault(path, set()).add(digest)

    def wait_for(self, version: str) -> None:
        """Return once every page was last seen in a version."""
        wait_until(
            lambda: (
                bool(self.faults)
                or [self._latest.get(page) for page in self._pages] == [version] * len(self._pages)
            ),
            f"{version} is not seen everywhere: {self._latest}",
        )

    def look(self, profile: Path) -> None:
        """Look at one page after the other until it is over."""
        with browser(profile) as tab:
            turn = 0
            while not self._over.is_set():
                # As a first visitor, and as one who has been there.
                tab.call("Network.setCacheDisabled", cacheDisabled=turn % 2 == 0)
                for page in self._pages:
                    self._visit(tab, page)
                    self._over.wait(self._pause)
                turn += 1

    def end(self) -> None:
        """Let it come to its end."""
        self._over.set()

    def _visit(self, tab: Browser, page: str) -> None:
        tab.open(page, width=800)
        version = tab.value("document.body.dataset.version + '|' + window.version")
        stamp, _, script = version.partition("|")
        if stamp != script:
            self.faults.append(f"{page} of {stamp} ran the script of {script}")
        self.seen[stamp] += 1
        self._latest[page] = stamp
        urls = {
            e["requestId"]: e["request"]["url"] for e in tab.happened("Network.requestWillBeSent")
        }
        self._finish(tab, urls)
        for lost in tab.happened("Network.loadingFailed"):
            url = urls.get(lost["requestId"], "")
            if not url.endswith("/favicon.ico"):
                self.faults.append(f"{page} of {stamp}: {url}: {lost['errorText']}")
        for answer in tab.happened("Network.responseReceived"):
            self._judge(tab, f"{page} of {stamp}", answer)

    def _finish(self, tab: Browser, urls: Mapping[str, str]) -> None:
        """Wait for what is still on its way after the page has loaded: fonts, imported modules."""
        deadline = time.monotonic() + _SETTLE
        while time.monotonic() < deadline:
            over = {
                one["requestId"]
                for event in ("Network.loadingFinished", "Network.loadingFailed")
                for one in tab.happened(event)
            }
            if urls.keys() <= over:
                return
            tab.value("1")
            time.sleep(0.01)

    def _judge(self, tab: Browser, where: str, answer: dict[str, Any]) -> None:
        url, status = answer["response"]["url"], answer["response"]["status"]
        base = next((one for one in self._bases if url.startswith(one)), None)
        if base is None or url.endswith("/favicon.ico"):
            return
        if status not in (200, 304):
            self.faults.append(f"{where}: {url} answers {status}")
            return
        path = unquote(url.removeprefix(base)) or "index.html"
        body = tab.call("Network.getResponseBody", requestId=answer["requestId"])
        data = base64.b64decode(body["body"]) if body["base64Encoded"] else body["body"].encode()
        if hashlib.sha256(data).hexdigest() not in self._known.get(path, ()):
            self.faults.append(f"{where}: {url} is of no release")
        self.loaded += 1


@contextmanager
def visiting(
    profile: Path, pages: Sequence[str], bases: Sequence[str], *, pause: float = PAUSE
) -> Iterator[Visitor]:
    """Let somebody look at pages all the while.

    Args:
        profile: For the browser.
        pages: Their URLs; the body of each has `data-version`, and a script sets
            `window.version`.
        bases: URLs below which lie the files that releases list.
        pause: Between two pages, in seconds.
    """
    visitor = Visitor(pages, bases, pause)
    broken: list[Exception] = []

    def run() -> None:
        try:
            visitor.look(profile)
        except (AssertionError, OSError, LookupError) as error:
            broken.append(error)
            visitor.faults.append(f"the browser has stopped: {error!r}")

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield visitor
    finally:
        visitor.end()
        thread.join()
    assert not broken, broken


def listed_files(store: Path, app: str, version: str) -> dict[str, str]:
    """Return what browsers load of a version, with digests, as a folder store has it."""
    (found,) = (store / app / "artifacts" / version).glob("assets.*.json")
    document = json.loads(found.read_bytes())
    return {one["path"]: one["sha256"] for one in document["assets"].values()}
