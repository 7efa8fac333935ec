"""Files that are no castoff.toml at all, and values of a wrong shape anywhere in one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from castoff.config.errors import ConfigError
from castoff.config.load import load
from support.complaints import GOOD, complaints


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["1: needs a table [apps.NAME]"]),
        ("[apps]", ["1: apps: must not be empty"]),
        (
            "[apps.a]\n[environments.e]\n",
            [
                (
                    "2: [environments.e] needs a host: a table [[environments.NAME.hosts]], "
                    "or 'hosts_from', or a 'site'"
                ),
            ],
        ),
        (
            "[apps.a]\n[environments.e]\nhosts = []",
            ["3: [environments.e] hosts: must not be empty"],
        ),
        (
            "[apps.a]\n[environments.e.hosts]\nname = 'x'",
            [
                (
                    "2: [environments.e] hosts: expected a list of tables, "
                    "each written [[environments.e.hosts]], got a table"
                )
            ],
        ),
        (
            "[apps.a]\n[environments.e]\nhosts = ['web1']",
            ['3: [environments.e] hosts: expected a table, got text "web1"'],
        ),
        (
            "[apps.a]\n[environments.e]\nhosts = [\n  { name = 'x', prot = 1 },\n]",
            ["4: [[environments.e.hosts]] unknown key 'prot'; did you mean 'port'?"],
        ),
    ],
)
def test_what_is_missing_or_of_the_wrong_shape_is_said_once(
    tmp_path: Path, text: str, said: list[str]
) -> None:
    assert complaints(tmp_path, text) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[apps.a]\npath = web\n", "2:8: not TOML: no value of TOML (text needs quotes)"),
        ("[apps.a]\npath = 'a'\npath = 'b'", "3:11: not TOML: this key is set already"),
        ("[apps.a]\n[apps.a]\n", "2:8: not TOML: this table is there already"),
        ("[apps.a\n", "1:8: not TOML: expected ']' at the end of a table declaration"),
        ("[apps.a]\nshared = [\n'x',\n", "3:5: not TOML: the file ends where a value should stand"),
        ("[apps.a]\nshared = ['x'\n", "2:14: not TOML: unclosed array"),
        (b"[apps.a]\n# caf\xe9\n", "2: the text is not UTF-8; save it in that encoding"),
    ],
)
def test_a_file_that_is_no_toml_is_told_with_line_and_column(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    assert complaints(tmp_path, text) == [said]


def test_tables_without_end_are_refused(tmp_path: Path) -> None:
    assert "nested" in complaints(tmp_path, "a = " + "[" * 100_000)[0]


def _document() -> dict[str, Any]:
    step = {"name": "s", "moment": "once", "timeout": 5, "env": {"A": "b"}}
    return {
        "default_app": "a",
        "apps": {"a": {"path": ".", "build": {"wheel": True, "include": ["*"]}, "shared": ["m/"]}},
        "store": {"url": "file://s", "url_expires": 60, "path_style": False},
        "environments": {
            "e": {
                "limits": {"connect": 1.5},
                "hosts": [{"name": "h", "roles": ["r"], "port": 22}],
                "steps": [{**step, "http": {"url": "http://x", "status": 200}}],
            }
        },
    }


def _places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = dict(enumerate(value)).items()
    else:
        return [path]
    return [path, *(place for key, one in inner for place in _places(one, (*path, key)))]


NESTED: list[object] = [[], {}, [1], [[]], {"a": 1}, {"[key]": {}}, [{"a": 1}]]


JARGON = ("input", "validat", "type=", "pydantic", "tuple", "dict", "instance", "ctx", "str ")


@given(
    place=st.sampled_from(_places(_document())[1:]),
    value=st.sampled_from(
        ["", "x y", "-", "\x7f", 0, -1, 10**30, 1.5, float("nan"), float("inf"), True, *NESTED]
    ),
)
def test_no_value_anywhere_is_answered_in_jargon(
    tmp_path_factory: pytest.TempPathFactory, place: tuple[Any, ...], value: object
) -> None:
    document: Any = _document()
    inner = document
    for part in place[:-1]:
        inner = inner[part]
    inner[place[-1]] = value
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(tomli_w.dumps(document))

    said = ""
    try:
        load(path)
    except ConfigError as error:
        said = error.message.replace(str(path), "").lower()

    assert not [word for word in JARGON if word in said]


def test_a_quarantine_of_any_number_of_hosts_is_refused(tmp_path: Path) -> None:
    text = GOOD + '[environments.production.stragglers]\npolicy = "quarantine"\n'

    assert any("needs 'quorum'" in told for told in complaints(tmp_path, text))


@pytest.mark.parametrize("quorum", ["0", "0%", "101%", "-1", "half", "1.5"])
def test_a_quorum_is_a_number_or_a_share(tmp_path: Path, quorum: str) -> None:
    table = f'[environments.production.stragglers]\nquorum = "{quorum}"\n'

    assert any("quorum" in told for told in complaints(tmp_path, GOOD + table))
