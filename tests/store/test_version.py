"""Versions may name directories, object keys and words of a command; so little is one."""

from __future__ import annotations

import pytest

from castoff.store.errors import UsageError
from castoff.store.version import check_version


@pytest.mark.parametrize(
    "version", ["1", "1.4.2", "20240101.120000-gdeadbeef01", "1.0+dirty.0a1b2c3d", "v" * 64, "a..b"]
)
def test_a_version_is_returned(version: str) -> None:
    assert check_version(version) == version


@pytest.mark.parametrize(
    "version",
    [
        "",
        ".",
        "..",
        "../x",
        "a/b",
        "-oProxyCommand=x",
        "+1",
        "_1",
        "1;id",
        "1 2",
        "1\n",
        "1\0",
        "v" * 65,
        "\uff11",
        "\u00e9",
        "$(id)",
        "*",
    ],
)
def test_anything_else_is_refused_and_shown(version: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_version(version)

    assert repr(version) in caught.value.message
