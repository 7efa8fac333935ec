"""paramiko, loaded without Invoke until somebody's SSH configuration needs that.

paramiko has `Match exec` of ssh_config(5) done by Invoke, and loads that with itself. Invoke takes
as long to load as all else that paramiko needs together.

It also compares the authentication code of each message byte by byte in Python, which is a fifth of
what a connection costs; the standard library does the same in C.
"""

from __future__ import annotations

import hmac
import re
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any

_INVOKE = "invoke"
_MATCH_EXEC = re.compile(r"^\s*match\b.*\bexec\b", re.IGNORECASE | re.MULTILINE)


def load() -> None:
    """Load paramiko, with Invoke only if that is there already."""
    if _INVOKE not in sys.modules:
        # What the import system takes for "there is no such module".
        sys.modules[_INVOKE] = None  # type: ignore[assignment]
        try:
            import paramiko  # noqa: F401
        finally:
            del sys.modules[_INVOKE]
    util: Any = import_module("paramiko.util")
    # Both take as long for equal texts as for others, whatever they differ in.
    util.constant_time_bytes_eq = hmac.compare_digest


def make_ready_for(configuration: str) -> None:
    """Give paramiko what it needs to read an SSH configuration; it complains of what is missing."""
    if _MATCH_EXEC.search(configuration):
        config: Any = import_module("paramiko.config")
        with suppress(ImportError):
            config.invoke = import_module(_INVOKE)
