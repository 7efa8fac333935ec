"""Fixtures that every package's tests may use, each kind in its own module of `support`."""

from __future__ import annotations

import os

# The tests start Castoff thousands of times: its modules are to be compiled once.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

pytest_plugins = ["support.fleet_fixtures", "support.s3_fixtures"]
