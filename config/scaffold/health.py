"""Where a project answers how it is, and with which version, guessed from its source."""

from __future__ import annotations

import re
from pathlib import Path

from castoff.config.scaffold.entry import modules

# A route as it is written in any of the frameworks: "/health", "healthz/", "health-check".
_ROUTE = re.compile(r"""["']\^?/?(health(?:[-_]?check|z)?/?)\$?["']""")
_VERSION = re.compile(r"""["']X-Version["']""", re.IGNORECASE)


def find_health(folder: Path) -> tuple[str, bool]:
    """Return the path to ask, `/` if there is no better one, and whether a header has the version.

    The header is `X-Version`, which no framework sets by itself.
    """
    path, versioned = "", False
    for file in modules(folder):
        try:
            text = file.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        route = _ROUTE.search(text)
        path = path or (route[1] if route else "")
        versioned = versioned or _VERSION.search(text) is not None
    return f"/{path}", versioned
