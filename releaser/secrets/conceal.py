"""Errors that may hold what a program said: secrets go from their texts before they go on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from castoff.releaser.errors import FleetError, HostError
from castoff.store.errors import CastoffError

Redact = Callable[[str], str]


def as_it_is(text: str) -> str:
    """Return a text in which no secret can be."""
    return text


def conceal(error: BaseException, redact: Redact) -> None:
    """Redact an error in place, with all those that it came from or speaks for."""
    pending: list[BaseException | None] = [error]
    seen: set[int] = set()
    while pending:
        one = pending.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        _conceal(one, redact)
        pending += [one.__cause__, one.__context__]
        if isinstance(one, FleetError):
            pending += one.failures


@contextmanager
def concealing(redact: Redact) -> Iterator[None]:
    """Redact whatever error leaves the context."""
    try:
        yield
    except BaseException as error:
        conceal(error, redact)
        raise


def _conceal(error: BaseException, redact: Redact) -> None:
    error.args = tuple(redact(one) if isinstance(one, str) else one for one in error.args)
    if isinstance(error, CastoffError):
        error.message = redact(error.message)
        error.hint = redact(error.hint)
    if isinstance(error, HostError):
        error.detail = redact(error.detail)
