"""A live line per host with its step and progress, for a terminal."""

from __future__ import annotations

import heapq
import threading
import time
from collections import Counter
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.prompt import Confirm
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

# Drawing a thousand rows eight times a second takes more than a processor, and no screen has them.
_MOST_ROWS = 24
_URGENCY = ("failed", "runs", "waiting", "done")


@dataclass(slots=True)
class _Line:
    step: str = ""
    state: str = "waiting"
    since: float = 0.0
    seconds: float = 0.0
    done: int = 0
    total: int = 0
    text: str = ""


class LiveWatch:
    """A watch that redraws a small table while a release runs; a context manager."""

    def __init__(
        self, hosts: list[str], title: str, console: Console, *, yes: bool = False
    ) -> None:
        self._yes = yes
        self._lines = {host: _Line() for host in hosts}
        self._title = title
        self._phase = ""
        self._console = console
        self._lock = threading.Lock()
        self._spinner = Spinner("dots")
        self._live = Live(
            get_renderable=self._render, console=console, refresh_per_second=8, transient=True
        )

    def __enter__(self) -> LiveWatch:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def phase(self, name: str) -> None:
        """Show the phase in the title."""
        with self._lock:
            self._phase = name

    def begin(self, host: str, step: str) -> None:
        """Show a host's new step."""
        with self._lock:
            self._lines[host] = _Line(step=step, state="runs", since=time.monotonic())

    def progress(self, host: str, step: str, done: int, total: int) -> None:
        """Move a host's bar; `step` is the part of the step that counts the bytes."""
        with self._lock:
            line = self._lines[host]
            line.done, line.total, line.text = done, total, step

    def output(self, host: str, step: str, text: str) -> None:
        """Print a command's line above the table, so that it stays."""
        self._console.print(Text(f"{host}  {step} | {text}", style="dim"))

    def end(self, host: str, step: str, seconds: float, error: str | None) -> None:
        """Show how a step ended; a failure is also printed, so that it stays."""
        with self._lock:
            line = self._lines[host]
            line.state = "done" if error is None else "failed"
            line.seconds = seconds
            line.total = 0
            line.text = error.splitlines()[0] if error else ""
        if error is not None:
            self._console.print(Text(f"{host}  {step}  FAILED: {error}", style="red"))

    def note(self, text: str) -> None:
        """Print a remark above the table."""
        self._console.print(Text(f"note: {text}", style="yellow"))

    def ask(self, question: str) -> bool:
        """Ask on the terminal, the table standing still meanwhile."""
        if self._yes:
            self.note(f"{question} Yes (--yes)")
            return True
        self._live.stop()
        try:
            return Confirm.ask(question, console=self._console, default=False)
        finally:
            self._live.start()

    def _render(self) -> RenderableType:
        with self._lock:
            table = Table.grid(padding=(0, 2))
            shown = self._shown()
            for host in shown:
                line = self._lines[host]
                table.add_row(self._mark(line), Text(host, style="bold"), *self._cells(line))
            title = Text.assemble((self._title, "bold"), "  ", (self._phase, "cyan"))
            return Group(title, table, *self._rest(shown))

    def _shown(self) -> list[str]:
        """Return the hosts that have a row: of very many those that are waited for longest."""
        if len(self._lines) <= _MOST_ROWS:
            return list(self._lines)

        def urgency(host: str) -> tuple[int, float]:
            line = self._lines[host]
            return _URGENCY.index(line.state), line.since

        chosen = set(heapq.nsmallest(_MOST_ROWS, self._lines, key=urgency))
        return [host for host in self._lines if host in chosen]

    def _rest(self, shown: list[str]) -> list[Text]:
        if len(shown) == len(self._lines):
            return []
        states = Counter(line.state for line in self._lines.values())
        said = {"runs": "at work"}
        words = ", ".join(
            f"{states[state]} {said.get(state, state)}" for state in _URGENCY if states[state]
        )
        return [Text(f"  of {len(self._lines)} hosts: {words}", style="dim")]

    def _mark(self, line: _Line) -> RenderableType:
        if line.state == "runs":
            return self._spinner
        return {
            "done": Text("+", style="green"),
            "failed": Text("x", style="red"),
            "waiting": Text(" "),
        }[line.state]

    def _cells(self, line: _Line) -> tuple[RenderableType, RenderableType, RenderableType]:
        seconds = time.monotonic() - line.since if line.state == "runs" else line.seconds
        clock = Text(f"{seconds:5.1f} s" if line.step else "", style="dim")
        if line.state == "runs" and line.total:
            bar = ProgressBar(total=line.total, completed=line.done, width=24)
            return Text(f"{line.step} ({line.text})"), clock, bar
        return Text(line.step), clock, Text(line.text, style="red", overflow="ellipsis")
