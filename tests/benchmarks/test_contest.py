"""Which tools a benchmark compares: those that it is told of and that are to be had."""

from __future__ import annotations

from typing import Any

import pytest
from release_work.contest import available, options_of

from common.tools import Unavailable


class _Tool:
    def __init__(self, name: str, reason: str = "") -> None:
        self.name = name
        self._reason = reason

    def get(self) -> str:
        if self._reason:
            raise Unavailable(self._reason)
        return "1.2"


TOOLS: dict[str, Any] = {"one": _Tool("One"), "none": _Tool("None", "no network")}


def test_a_tool_that_cannot_be_had_is_left_out_with_the_reason() -> None:
    assert available(TOOLS, ["one", "none"]) == ({TOOLS["one"]: "1.2"}, ["None: no network"])


def test_a_tool_that_there_is_not_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    parser = options_of("It.", TOOLS, hosts="", limit=9, small="little")
    assert parser.parse_args(["--tools", "none"]).tools == ["none"]
    assert parser.parse_args([]).tools == ["one", "none"]
    with pytest.raises(SystemExit):
        parser.parse_args(["--tools", "one,two"])
    assert "no tool 'two': one, none" in capsys.readouterr().err
