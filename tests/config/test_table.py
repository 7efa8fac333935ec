"""Of the tables that a castoff.toml does not have, no validator is built."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from castoff.config.model import Config, Host, Step

_PROGRAM = """
import sys
from pathlib import Path
from castoff.config import model
from castoff.config.load import load
load(Path(sys.argv[1]))
tables = [table for table in vars(model).values() if isinstance(table, type)]
print(*(table.__name__ for table in tables if getattr(table, "__pydantic_complete__", False)))
"""


def test_what_is_not_there_is_not_built(tmp_path: Path) -> None:
    path = tmp_path / "castoff.toml"
    path.write_text('[apps.x]\n[environments.e]\nhosts = [{ name = "a" }]\n')
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(path)], check=True, capture_output=True, text=True
    )
    assert set(done.stdout.split()) == {"Config", "App", "Environment", "Host"}


def test_what_is_wrong_in_a_table_is_told_with_its_place_and_kind() -> None:
    host = {"name": "a", "port": "22", "tables": {}}
    wrong = {"apps": {"x": 3}, "environments": {"e": {"hosts": ({"name": "ok"}, host)}}}
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(wrong)
    place = ("environments", "e", "hosts", 1)
    assert {(error["loc"], error["type"]) for error in caught.value.errors()} == {
        (("apps", "x"), "model_type"),
        ((*place, "port"), "int_type"),
        ((*place, "tables"), "extra_forbidden"),
    }


def test_a_table_can_be_made_alone_and_taken_as_it_is() -> None:
    host = Host(name="a")
    step = Step.model_validate({"name": "s", "moment": "activate", "command": "true"})
    config = Config.model_validate(
        {"apps": {"x": {}}, "environments": {"e": {"hosts": (host,), "steps": (step,)}}}
    )
    assert config.environments["e"].hosts[0] is host
    assert config.environments["e"].steps[0] is step
    assert Host.model_validate(host.model_dump()) == host
