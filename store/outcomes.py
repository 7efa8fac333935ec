"""What runs are, and how they end, in the words that are kept of them."""

from __future__ import annotations

from typing import Literal

Kind = Literal["release", "rollback", "activate", "prepare", "converge"]
# How a release came to a host: by a patch of what it had, as parts of the archive, as all of it.
Way = Literal["patch", "peer", "ranges", "archive"]
Outcome = Literal["released", "rolled back", "mixed", "failed", "prepared", "interrupted"]
