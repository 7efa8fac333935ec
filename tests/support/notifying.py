"""Messages made by hand, and ways to send them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from castoff.config.model import Environment
from castoff.releaser.notes.notes import make_notes
from castoff.releaser.notify.message import Message
from castoff.releaser.notify.teller import Teller
from castoff.store.commits import CommitRow, Commits

COMMITS = Commits(
    gained=(
        CommitRow(id="1111111", subject="feat(cart): Sell <!channel> socks & more"),
        CommitRow(id="2222222", subject="fix: Count them"),
    ),
    gained_count=2,
)


def message(**changes: Any) -> Message:
    """Return what is told of a release of 2 over 1."""
    facts: dict[str, Any] = {
        "occasion": "released",
        "app": "shop",
        "environment": "production",
        "kind": "release",
        "version": "2",
        "from_version": "1",
        "who": "ana@laptop",
        "commit": "c" * 40,
        "started": 1_795_547_000.0,
        "ended": 1_795_547_012.0,
        "notes": make_notes("2", "1", COMMITS),
        "number": 12,
        "activation_seconds": 1.25,
        "downtime_seconds": 0.5,
        "job_url": "https://ci.example/7",
        "report_url": "https://reports.example/12.html",
        **changes,
    }
    return Message(**facts)


def environment(
    *ways: dict[str, Any], secrets: dict[str, dict[str, str]] | None = None
) -> Environment:
    """Return an environment with these notifications."""
    return Environment.model_validate(
        {"hosts": ({"name": "web1"},), "notify": ways, "secrets": secrets or {}}
    )


def send(
    folder: Path, *ways: dict[str, Any], told: Message | None = None, **secrets: str
) -> list[str]:
    """Tell a message in all ways; return what is told of those that could not be.

    What to type is left out of it.
    """
    places = {}
    for name, value in secrets.items():
        (folder / name).write_text(value)
        places[name] = {"file": str(folder / name)}
    teller = Teller(environment(*ways, secrets=places), folder)
    teller.tell(told or message())
    return [line.partition("; try again: ")[0] for line in teller.wait()]
