"""Many processes at one object: the store decides, and decides once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from castoff.store import artifacts, history
from support import racers, s3
from support.racers import RACERS, Crew, Place
from support.tiny_artifact import write_artifact


@pytest.fixture(params=["file", "seaweed"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Return an empty store that other processes can open."""
    if request.param == "file":
        return Place("file://store", tmp_path)
    request.getfixturevalue("aws_environment")
    endpoint: str = request.getfixturevalue("seaweed_url")
    return Place(f"s3://{s3.make_bucket(endpoint)}/prefix", tmp_path, endpoint)


@pytest.fixture(scope="module")
def crew() -> Iterator[Crew]:
    """Return the racers."""
    with Crew() as racing:
        yield racing


def rounds(place: Place, *, local: int, remote: int) -> int:
    return local if place.endpoint_url is None else remote


def test_one_of_many_creators_wins(crew: Crew, place: Place) -> None:
    results = crew.race(place, racers.create, rounds=rounds(place, local=100, remote=3))

    store = place.open()
    for number, created in enumerate(results):
        assert created.count(True) == 1
        assert store.read(f"race/{number}").data == f"{created.index(True)}".encode()


def test_no_swap_is_lost(crew: Crew, place: Place) -> None:
    store = place.open()
    store.create("counter", b'{"count": 0}')
    times = rounds(place, local=25, remote=2)

    crew.race(place, racers.count_up, rounds=times)

    assert json.loads(store.read("counter").data)["count"] == RACERS * times


def test_history_entries_written_at_once_are_all_kept(crew: Crew, place: Place) -> None:
    times = rounds(place, local=5, remote=1)

    results = crew.race(place, racers.append, rounds=times)

    numbers = sorted(number for numbers in results for number in numbers)
    assert numbers == list(range(1, RACERS * times + 1))
    assert len(history.entries(place.open(), "shop", "production")) == RACERS * times


def test_one_of_many_gets_the_lease(crew: Crew, place: Place) -> None:
    results = crew.race(place, racers.take_lease, rounds=rounds(place, local=10, remote=1))

    for tokens in results:
        assert sorted(tokens, key=str) == [1] + [None] * (RACERS - 1)


def test_each_holder_of_a_lease_has_a_token_of_its_own(crew: Crew, place: Place) -> None:
    (tokens,) = crew.race(place, racers.take_lease_in_turn)

    assert sorted(tokens) == list(range(1, RACERS + 1))


def test_one_content_wins_a_racing_push(crew: Crew, place: Place, tmp_path: Path) -> None:
    times = rounds(place, local=5, remote=1)
    for side in (0, 1):
        for number in range(times):
            write_artifact(tmp_path / str(side), f"1.{number}", f"side {side}".encode())

    results = crew.race(place, partial(racers.push, directory=tmp_path), rounds=times)

    store = place.open()
    for number, outcomes in enumerate(results):
        assert outcomes.count("created") == 1
        side = outcomes.index("created") % 2
        assert set(outcomes[1 - side :: 2]) == {"refused"}
        assert set(outcomes[side::2]) <= {"created", "there"}
        winner = artifacts.load_local(tmp_path / str(side), "shop", f"1.{number}")
        manifest, data = artifacts.fetch_manifest(store, "shop", f"1.{number}")
        assert data == winner.manifest_bytes
        artifacts.fetch_table(store, manifest)
