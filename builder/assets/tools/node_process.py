"""A Node tool kept running: requests and answers are lines of JSON (`driver.cjs`)."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from importlib import resources
from pathlib import Path
from typing import Any, cast

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.tools import node_programs


class NodeProcess:
    """One process; calls from several threads take turns."""

    def __init__(self, tool: str, folder: Path, env: Mapping[str, str]) -> None:
        driver = resources.files("castoff.builder.assets.tools").joinpath("driver.cjs")
        self._tool = tool
        self._lock = threading.Lock()
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `close`
        self._process = subprocess.Popen(
            [node_programs.node(env), "-e", driver.read_text(encoding="utf-8"), tool, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=node_programs.clean_environment(env),
            encoding="utf-8",
        )

    def call(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to one request.

        Raises:
            AssetError: The process died.
        """
        process = self._process
        if process.stdin is None or process.stdout is None:
            raise AssertionError("the process was started with pipes")
        with self._lock:
            try:
                process.stdin.write(json.dumps(request) + "\n")
                process.stdin.flush()
                line = process.stdout.readline()
            except BrokenPipeError:
                line = ""
        if not line:
            self._log.seek(0)
            said = self._log.read()[-500:].decode(errors="replace").strip()
            raise AssetError(f"{self._tool} died: {said or 'it said nothing'}")
        return cast("dict[str, Any]", json.loads(line))

    def close(self) -> None:
        """End the process."""
        process = self._process
        if process.stdin and process.stdout:
            with suppress(BrokenPipeError):  # it may have died
                process.stdin.close()
            process.wait()
            process.stdout.close()
        self._log.close()
