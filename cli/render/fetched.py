"""How a release came to a host, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from castoff.cli.render.few import few
from castoff.cli.render.sizes import size
from castoff.store.outcomes import Way

_WORDS: dict[Way, str] = {
    "patch": "by patch",
    "peer": "from other hosts",
    "ranges": "in parts",
    "archive": "as a whole",
}


def fetched(ways: Mapping[Way, int] | None) -> str:
    """Return how many bytes came in which way; `nothing` if none did, `-` where it is not known."""
    if ways is None:
        return "-"
    told = [f"{size(ways[way])} {words}" for way, words in _WORDS.items() if ways.get(way)]
    return ", ".join(told) or "nothing"


def fetched_lines(hosts: Mapping[str, Mapping[Way, int] | None]) -> Iterator[str]:
    """Yield a line for all hosts that fetched alike; none for those that fetched nothing."""
    alike: dict[tuple[Way, ...], list[str]] = {}
    for host, ways in hosts.items():
        if ways and any(ways.values()):
            alike.setdefault(tuple(way for way in _WORDS if ways.get(way)), []).append(host)
    for taken, names in alike.items():
        words = " and ".join(_WORDS[way] for way in taken)
        sizes = [sum((hosts[name] or {}).values()) for name in names]
        least, most = size(min(sizes)), size(max(sizes))
        span = most if least == most else f"{least} to {most}"
        yield f"fetched {words}: {few(names)} ({span}{' each' if len(names) > 1 else ''})"
