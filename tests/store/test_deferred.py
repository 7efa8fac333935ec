"""What is not read costs no validator, and no other distribution takes part in reading."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from castoff.store.deferred import Deferred


def test_importing_builds_no_validators() -> None:
    code = (
        "import castoff.store.history, castoff.store.manifest, castoff.releaser.replies\n"
        "from castoff.store.deferred import Deferred\n"
        "def below(kind):\n"
        "    for one in kind.__subclasses__():\n"
        "        yield one\n"
        "        yield from below(one)\n"
        "kinds = list(below(Deferred))\n"
        "print(len(kinds), *(one.__name__ for one in kinds if one.__pydantic_complete__))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    count, *built = done.stdout.split()
    assert int(count) > 30
    assert not built


def test_no_plugins_are_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("pydantic.plugin._loader.entry_points", asked.append)

    class Some(Deferred):
        number: int

    assert Some(number=1).number == 1
    assert not asked


def test_threads_that_read_the_first_one_at_once_all_read_it() -> None:
    inner = [
        type(f"Inner{turn}", (Deferred,), {"__annotations__": {"a": int}}) for turn in range(9)
    ]
    for one in inner:
        outer = type("Outer", (Deferred,), {"__annotations__": {"of": tuple.__class_getitem__((one, ...))}})
        start = Barrier(8)

        def read(outer: type[Deferred] = outer, start: Barrier = start) -> object:
            start.wait()
            return outer.model_validate_json('{"of": [{"a": 1}, {"a": 2}]}').model_dump()

        with ThreadPoolExecutor(8) as pool:
            found = [each.result() for each in [pool.submit(read) for _ in range(8)]]
        assert found == [{"of": ({"a": 1}, {"a": 2})}] * 8
