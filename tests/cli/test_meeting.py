"""Hosts are met before the store is, which may take long to open."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from castoff.cli.meeting import Meeting
from castoff.cli.scope import chosen_scope
from castoff.config.environment_tables import Environment
from castoff.config.hosts import ResolvedHost
from castoff.store.errors import CastoffError

CONFIG = """
[store]
url = "{url}"
[apps.shop]
[environments.production]
hosts = [{{ name = "web1", address = "192.0.2.1" }}, {{ name = "web2", address = "192.0.2.2" }}]
"""


class Heard:
    """What was told of hosts."""

    def __init__(self) -> None:
        self.told: list[tuple[list[str], bool]] = []

    def __call__(
        self, hosts: Sequence[ResolvedHost], environment: Environment, /, *, by_url: bool
    ) -> None:
        assert environment.fan_out.concurrency
        self.told.append(([host.name for host in hosts], by_url))


def test_they_are_told_of_before_a_store_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "castoff.toml").write_text(CONFIG.format(url="s3://bucket/with?query"))
    heard = Heard()
    with pytest.raises(CastoffError):
        chosen_scope(tmp_path / "castoff.toml", None, None, None, None, writes=True, meet=heard)
    assert heard.told == [(["web1", "web2"], True)]


def test_only_those_that_were_chosen_are_told_of(tmp_path: Path) -> None:
    (tmp_path / "castoff.toml").write_text(CONFIG.format(url="file://store"))
    heard = Heard()
    chosen_scope(tmp_path / "castoff.toml", None, None, "web2", None, writes=False, meet=heard)
    assert heard.told == [(["web2"], False)]


def test_what_was_begun_is_over_where_the_command_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = []

    class Begun:
        def __init__(self, *_: object, **__: object) -> None:
            pass

        def __enter__(self) -> Begun:
            return self

        def __exit__(self, *_: object) -> None:
            left.append(True)

    monkeypatch.setattr("castoff.releaser.early.Early", Begun)
    (tmp_path / "castoff.toml").write_text(CONFIG.format(url="s3://bucket/with?query"))
    with pytest.raises(CastoffError), Meeting() as hosts:
        chosen_scope(tmp_path / "castoff.toml", None, None, None, None, writes=True, meet=hosts)
    assert hosts.early is not None
    assert left == [True]
