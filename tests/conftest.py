"""Fixtures that every package's tests may use, each kind in its own module of `support`."""

pytest_plugins = ["support.fleet_fixtures", "support.s3_fixtures"]
