"""Where keys stand in a TOML text."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castoff.config.errors import KeyPath
from castoff.config.lines import locate
from castoff.config.toml import parse

DOCUMENT = """\
# comment = 1
title = "a # b = [c]" # not a key

[owner] # header
  name . first = 'x'
name."last \\"name\\"" = "y"
'quoted.key' = 1979-05-27 07:32:00

text = \"\"\"
[not.a.table]
key = "no"\\
\"\"\"\"\"
raw = '''
[[neither]]'''
inline = { a = 1, "b c" = { d = [1, 2] } }
list = [
  "one", # comment ]
  [ "two",
    "three" ],
  { four = 4 },
]
[[fleet.hosts]]
name = "web1"
[fleet.hosts.limits]
time = 1
[[fleet.hosts.disks]]
[[fleet.hosts]]
name = "web2"
[[fleet.hosts.disks]]
size = 1
[[fleet.hosts.disks]]
[deep.er.table]
[deep]
"""
PLACES: list[tuple[KeyPath, int]] = [
    (("title",), 2),
    (("owner",), 4),
    (("owner", "name"), 5),
    (("owner", "name", "first"), 5),
    (("owner", "name", 'last "name"'), 6),
    (("owner", "quoted.key"), 7),
    (("owner", "text"), 9),
    (("owner", "raw"), 13),
    (("owner", "inline"), 15),
    (("owner", "inline", "b c", "d", 1), 15),
    (("owner", "list"), 16),
    (("owner", "list", 0), 17),
    (("owner", "list", 1), 18),
    (("owner", "list", 1, 1), 19),
    (("owner", "list", 2, "four"), 20),
    (("fleet",), 22),
    (("fleet", "hosts"), 22),
    (("fleet", "hosts", 0), 22),
    (("fleet", "hosts", 0, "name"), 23),
    (("fleet", "hosts", 0, "limits", "time"), 25),
    (("fleet", "hosts", 0, "disks", 0), 26),
    (("fleet", "hosts", 1), 27),
    (("fleet", "hosts", 1, "disks"), 29),
    (("fleet", "hosts", 1, "disks", 0, "size"), 30),
    (("fleet", "hosts", 1, "disks", 1), 31),
    (("deep", "er", "table"), 32),
    (("deep", "er"), 32),
    (("deep",), 33),
]


@pytest.mark.parametrize(("path", "line"), PLACES)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_each_key_has_its_line(path: KeyPath, line: int, newline: str) -> None:
    lines = locate(DOCUMENT.replace("\n", newline))

    assert lines.known(path)
    assert lines.of(path) == line


def test_a_missing_key_has_the_line_of_its_table() -> None:
    lines = locate(DOCUMENT)

    assert lines.of(("fleet", "hosts", 1, "address")) == 27
    assert lines.of(("owner", "name", "middle", "initial")) == 5
    assert lines.of(("nothing",)) == 1


def holds_tables(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, dict) for one in value)
    return isinstance(value, dict)


@dataclass
class Writer:
    """Writes a random document in random spellings, and keeps account of the lines."""

    data: st.DataObject
    text: str = ""
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def flip(self) -> bool:
        return self.data.draw(st.booleans())

    def mark(self, path: KeyPath) -> None:
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def table(self, path: KeyPath, header: list[str], table: dict[str, Any]) -> None:
        later = [key for key, value in table.items() if holds_tables(value) and self.flip()]
        for key, value in table.items():
            if key not in later:
                self.pair(path, key, value)
        for key in later:
            names = [*header, self.key(key)]
            value = table[key]
            if isinstance(value, dict):
                self.section((*path, key), names, f"[{' . '.join(names)} ]", value)
                continue
            for index, one in enumerate(value):
                self.section((*path, key, index), names, f"[[ {'.'.join(names)}]]", one)

    def section(self, path: KeyPath, names: list[str], header: str, table: dict[str, Any]) -> None:
        self.gap()
        self.mark(path if isinstance(path[-1], str) else path[:-1])
        self.mark(path)
        self.text += f"{header}\n"
        self.table(path, names, table)

    def pair(self, path: KeyPath, key: str, value: Any) -> None:
        self.gap()
        path = (*path, key)
        self.mark(path)
        self.text += self.key(key)
        while isinstance(value, dict) and len(value) == 1 and self.flip():
            key, value = next(iter(value.items()))
            path = (*path, key)
            self.mark(path)
            self.text += f" . {self.key(key)}"
        self.text += " = "
        self.value(path, value)
        self.text += "\n"

    def value(self, path: KeyPath, value: Any) -> None:
        if isinstance(value, dict):
            self.text += "{ "
            for index, (key, one) in enumerate(value.items()):
                self.text += ", " if index else ""
                self.mark((*path, key))
                self.text += f"{self.key(key)}="
                self.value((*path, key), one)
            self.text += " }"
        elif isinstance(value, list):
            self.text += "["
            for index, one in enumerate(value):
                self.text += ", " if index else ""
                self.text += "\n # ], }\n" if self.flip() else ""
                self.mark((*path, index))
                self.value((*path, index), one)
            self.text += ",\n]" if value and self.flip() else "]"
        else:
            self.text += self.scalar(value)

    def scalar(self, value: object) -> str:
        if not isinstance(value, str):
            return json.dumps(value)
        if "'" not in value and self.flip():
            return f"'''\n{value}'''" if self.flip() else self.single(value)
        escaped = json.dumps(value)[1:-1]
        if self.flip():
            # A quote of its own at the end makes four.
            return '"""\n' + escaped.replace("\\n", "\n").replace('\\"', '"', 1) + '"""'
        return f'"{escaped}"'

    def single(self, value: str) -> str:
        return f"'{value}'" if "\n" not in value else json.dumps(value)

    def key(self, key: str) -> str:
        if key.isalnum() and key.isascii() and self.flip():
            return key
        return f"'{key}'" if "'" not in key and self.flip() else json.dumps(key)

    def gap(self) -> None:
        self.text += self.data.draw(st.sampled_from(["", "", "\n", "# [a.b] = 'c'\n", " \t"]))


# No line breaks in keys, which only an escape could write; quotes, dots, hashes and brackets are
# what a reader could trip over.
KEYS = st.text(alphabet="aB1.# '\"[]{}=,é", max_size=4)
SCALARS = st.integers(-9, 9) | st.booleans() | st.text(alphabet="ab #'\"[]{}=,\né", max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(document=st.dictionaries(KEYS, VALUES, max_size=4), data=st.data())
def test_every_key_of_any_document_is_found_where_it_was_written(
    document: dict[str, Any], data: st.DataObject
) -> None:
    writer = Writer(data)
    writer.table((), [], document)
    assert parse(writer.text) == document

    found = locate(writer.text)

    assert {path: found.of(path) for path in writer.lines if found.known(path)} == writer.lines
