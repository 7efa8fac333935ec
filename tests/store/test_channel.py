"""The channel moves by compare-and-swap alone."""

from __future__ import annotations

import pytest

from castoff.store import channel
from castoff.store.backend import Store
from castoff.store.errors import Conflict, CorruptArtifact
from castoff.store.file import FileStore


def test_there_is_no_channel_before_the_first_release(store: Store) -> None:
    assert channel.read(store, "shop", "production") is None


def test_a_channel_reads_as_it_was_moved(store: Store) -> None:
    first = channel.advance(
        store, "shop", "production", None, current="1.0", previous=None, release="r1"
    )
    second = channel.advance(
        store, "shop", "production", first, current="1.1", previous="1.0", release="r2"
    )

    assert channel.read(store, "shop", "production") == second
    pointer, _ = second
    assert (pointer.current, pointer.previous, pointer.release) == ("1.1", "1.0", "r2")
    assert (first[0].serial, pointer.serial) == (1, 2)
    assert channel.read(store, "shop", "staging") is None


def test_one_who_has_seen_an_older_state_cannot_move_it(store: Store) -> None:
    first = channel.advance(
        store, "shop", "production", None, current="1.0", previous=None, release="r1"
    )
    second = channel.advance(
        store, "shop", "production", first, current="1.1", previous="1.0", release="r2"
    )

    for seen in (None, first):
        with pytest.raises(Conflict, match="channel of shop in production"):
            channel.advance(
                store, "shop", "production", seen, current="2.0", previous=None, release="r3"
            )

    assert channel.read(store, "shop", "production") == second


def test_going_back_to_a_state_is_not_never_having_left_it(store: Store) -> None:
    seen = channel.advance(
        store, "shop", "production", None, current="1.0", previous=None, release="r"
    )
    etags = {seen[1]}
    for version in ("1.1", "1.0", "1.1", "1.0"):
        seen = channel.advance(
            store, "shop", "production", seen, current=version, previous=None, release="r"
        )
        etags.add(seen[1])

    assert len(etags) == 5


def test_no_two_channels_have_one_entity_tag_whatever_they_say(store: Store) -> None:
    etags = {
        channel.advance(
            store, "shop", environment, None, current="1.0", previous=None, release="r"
        )[1]
        for environment in ("production", "staging")
    }

    assert len(etags) == 2


def test_a_damaged_channel_is_named(file_store: FileStore) -> None:
    file_store.create("shop/environments/production/channel.json", b'{"schema":1}')

    with pytest.raises(CorruptArtifact, match=r"environments/production/channel\.json: not a ch"):
        channel.read(file_store, "shop", "production")


def test_a_channel_of_a_later_schema_is_not_guessed_at(file_store: FileStore) -> None:
    file_store.create(
        "shop/environments/production/channel.json",
        b'{"current":"1","nonce":"n","previous":null,"release":"r","schema":2,"serial":1}',
    )

    with pytest.raises(CorruptArtifact, match="schema"):
        channel.read(file_store, "shop", "production")
