"""A deed of the history in words."""

from __future__ import annotations

from collections.abc import Iterator

from castoff.cli.render.sizes import size
from castoff.store.deed import Deed, DeedKind

_WORDS: dict[DeedKind, str] = {
    "lock": "frozen",
    "unlock": "set free",
    "pin": "pinned",
    "unpin": "not pinned any more",
    "prune": "pruned",
    "maintenance on": "page on",
    "maintenance off": "page off",
    "backup": "backed up",
    "restore": "restored",
}


def outcome_of(deed: Deed) -> str:
    """Return what came of it, in a word or two."""
    if deed.kind != "prune":
        word = f"{_WORDS[deed.kind]}: failed" if deed.trouble else _WORDS[deed.kind]
        return f"{word} ({deed.only})" if deed.only else word
    freed = f"freed {size(sum(host.freed for host in deed.hosts))}"
    return f"{freed} ({deed.only})" if deed.only else freed


def told(deed: Deed) -> Iterator[str]:
    """Yield what there is to say of it beside who and when, line by line."""
    if deed.reason:
        yield deed.reason
    yield from deed.trouble.splitlines()
    for host in deed.hosts:
        removed = ", ".join(host.removed) or "nothing"
        yield f"{host.name}: {host.trouble or f'{removed} removed, {size(host.freed)} freed'}"
