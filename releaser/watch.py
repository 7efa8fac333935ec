"""Whoever looks on while a release runs."""

from __future__ import annotations

from typing import Protocol


class Watch(Protocol):
    """Somebody who looks on; called from many threads, must return quickly and never raise."""

    def phase(self, name: str) -> None:
        """All hosts go on to the next phase."""

    def begin(self, host: str, step: str) -> None:
        """A host begins a step."""

    def progress(self, host: str, step: str, done: int, total: int) -> None:
        """A step has dealt with `done` of `total` bytes."""

    def output(self, host: str, step: str, text: str) -> None:
        """A step's command has printed a line."""

    def end(self, host: str, step: str, seconds: float, error: str | None) -> None:
        """A step has ended, well if `error` is None."""

    def note(self, text: str) -> None:
        """Something the reader should know, which stops nothing."""

    def ask(self, question: str) -> bool:
        """A question that a person has to decide; no answer is a no. May take its time."""


class Silent:
    """A watch for callers that read the timeline alone."""

    def phase(self, name: str) -> None:
        """Do nothing."""

    def begin(self, host: str, step: str) -> None:
        """Do nothing."""

    def progress(self, host: str, step: str, done: int, total: int) -> None:
        """Do nothing."""

    def output(self, host: str, step: str, text: str) -> None:
        """Do nothing."""

    def end(self, host: str, step: str, seconds: float, error: str | None) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""

    def ask(self, question: str) -> bool:
        """Say no."""
        del question
        return False
