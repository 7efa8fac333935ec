"""A user without a name and a home folder, as in a container that is run by a number."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from castoff.config import own_user


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2_000_123_456)


def test_its_number_is_its_name() -> None:
    assert own_user.user_name() == "2000123456"


def test_it_is_at_home_at_the_top() -> None:
    own_user.ensure_home()
    assert Path.home() == Path("/")


def test_who_has_a_home_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/srv")
    own_user.ensure_home()
    assert Path.home() == Path("/srv")
