"""Headless Chromium at the other end of a pipe: other widths, dark and light, keys, pictures.

Spoken is the Chrome DevTools Protocol, one JSON message after another with a zero byte behind each.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.chromium import FLAGS, program

_PATIENCE = 60.0


class Browser:
    """One tab."""

    def __init__(self, writes: int, reads: int) -> None:
        self._writes = writes
        self._reads = reads
        self._buffer = b""
        self._number = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result; events that come before it are kept."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._writes, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") == self._number:
                assert "error" not in answer, (method, answer["error"])
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def open(self, url: str, *, width: int, dark: bool = False) -> None:
        """Show a page in a window of a width (CSS pixels) and wait until it is loaded."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=800,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        # As on a phone, where they take no room.
        self.call("Emulation.setScrollbarsHidden", hidden=True)
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.call("Page.navigate", url=url)
        deadline = time.monotonic() + _PATIENCE
        while not self.happened("Page.loadEventFired"):
            assert time.monotonic() < deadline, f"{url} does not load"
            self.value("1")

    def happened(self, event: str) -> list[dict[str, Any]]:
        """Return what is known of all events of a kind since the page was opened."""
        return [seen["params"] for seen in self.events if seen.get("method") == event]

    def value(self, expression: str) -> Any:
        """Return what an expression of JavaScript says on the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """Press a key: `Tab` or `Enter`."""
        codes = {"Tab": 9, "Enter": 13}
        words = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **words, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **words)

    def point_at(self, selector: str) -> None:
        """Move the mouse over an element."""
        place = self.value(
            f"(() => {{ const e = document.querySelector({selector!r}); e.scrollIntoView();"
            "const r = e.getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=place[0], y=place[1])

    def picture(self, path: Path) -> None:
        """Write the whole page as a PNG file."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        shot = self.call(
            "Page.captureScreenshot", captureBeyondViewport=True, clip={**size, "scale": 1}
        )
        path.write_bytes(base64.b64decode(shot["data"]))

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            block = os.read(self._reads, 1 << 20)
            assert block, "Chromium has left"
            self._buffer += block
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Start Chromium with a fresh profile folder, and end it afterwards."""
    chromium = program()
    assert chromium is not None
    from_us, to_chromium = os.pipe()
    from_chromium, to_us = os.pipe()
    # Chromium reads commands from descriptor 3 and writes to 4.
    command = f'exec "$0" "$@" 3<&{from_us} 4>&{to_us}'
    with (profile.parent / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            [
                "/bin/bash",
                "-c",
                command,
                chromium,
                *FLAGS,
                "--remote-debugging-pipe",
                f"--user-data-dir={profile}",
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(from_us, to_us),
        )
    os.close(from_us)
    os.close(to_us)
    try:
        yield Browser(to_chromium, from_chromium)
    finally:
        os.close(to_chromium)
        os.close(from_chromium)
        process.terminate()
        process.wait()
