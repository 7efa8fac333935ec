"""Which app or environment a command means."""

from __future__ import annotations

from typing import Any

import pytest

from castoff.config.model import Config
from castoff.config.select import select_app, select_environment
from castoff.store.errors import UsageError


def config(apps: str, environments: str = "", **more: Any) -> Config:
    hosts = {"hosts": ({"name": "h"},)}
    return Config.model_validate(
        {
            "apps": {name: {} for name in apps.split()},
            "environments": dict.fromkeys(environments.split(), hosts),
            **more,
        }
    )


def test_the_only_one_is_meant_where_none_is_named() -> None:
    found = config("shop", "production")

    assert select_app(found, None) == ("shop", found.apps["shop"])
    assert select_environment(found, None) == ("production", found.environments["production"])


def test_the_default_is_meant_where_none_is_named() -> None:
    found = config("shop blog", "qa live", default_app="blog", default_environment="live")

    assert select_app(found, None)[0] == "blog"
    assert select_environment(found, None)[0] == "live"


def test_a_name_wins_over_the_default() -> None:
    assert select_app(config("shop blog", default_app="blog"), "shop")[0] == "shop"


def test_several_without_a_default_must_be_named() -> None:
    with pytest.raises(UsageError, match="several apps: shop, blog") as caught:
        select_app(config("shop blog"), None)

    assert "default_app" in caught.value.hint


def test_an_unknown_name_is_answered_with_the_nearest_and_all() -> None:
    with pytest.raises(UsageError) as caught:
        select_environment(config("shop", "staging production"), "prodution")

    assert caught.value.message == (
        "castoff.toml has no environment 'prodution'; did you mean 'production'?"
    )
    assert caught.value.hint == "There is: staging, production."


def test_a_file_without_environments_says_how_to_add_one() -> None:
    with pytest.raises(UsageError, match="has no environment") as caught:
        select_environment(config("shop"), "production")

    assert "[environments.NAME]" in caught.value.hint
