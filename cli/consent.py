"""A question that has to be answered before something is done that cannot be taken back at once."""

from __future__ import annotations

import sys

import typer

from castoff.store.errors import UsageError


def consent(question: str, *, yes: bool) -> None:
    """Return if somebody says yes.

    Args:
        question: What is asked.
        yes: Whether it was answered in advance.

    Raises:
        UsageError: The answer is no, or nobody is there to be asked.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"nobody is here to answer: {question}", hint="Answer in advance: --yes")
    if not typer.confirm(question, err=True):
        raise UsageError("nothing was done")
