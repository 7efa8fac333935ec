"""Canonical JSON: the one spelling of a document, so that its digest means something.

UTF-8, keys sorted by code point, no insignificant white space, no NaN; the subset of RFC 8785
that documents of strings, integers, lists and objects need.
"""

from __future__ import annotations

import json
from typing import Any


def dumps(value: Any) -> bytes:
    """Return the canonical bytes of a JSON value.

    Raises:
        ValueError: The value holds a float that is not finite, or a lone surrogate.
    """
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()
