"""What a step printed is kept to its end, within bounds, and without what must not be stored."""

from __future__ import annotations

import pytest

from castoff.releaser.tail import MOST_BYTES, MOST_LINES, Tail, shortened, storable

URL = "https://bucket.example.org/a.tar.gz?X-Amz-Date=1&X-Amz-Credential=KEY&X-Amz-Signature=5ec"


def kept(*texts: str) -> Tail:
    tail = Tail()
    for text in texts:
        tail.add(text)
    return tail


def test_the_last_lines_stay_and_the_others_are_counted() -> None:
    tail = kept(*(f"line {number}" for number in range(MOST_LINES + 7)))
    assert len(tail.lines) == MOST_LINES
    assert tail.lines[-1] == f"line {MOST_LINES + 6}"
    assert tail.left_out == 7


def test_long_lines_count_by_their_bytes() -> None:
    tail = kept(*("ü" * 4000 for _ in range(20)))
    assert len(tail.lines) == 4
    assert tail.left_out == 16


def test_one_endless_line_is_cut_and_still_text() -> None:
    (line,) = kept("x" + "ü" * MOST_BYTES).lines
    assert MOST_BYTES - 2 <= len(line.encode()) < MOST_BYTES
    assert set(line) == {"ü"}


def test_of_a_progress_bar_its_last_state_stays() -> None:
    assert kept("10 %\r50 %\r100 %\r").lines == ("100 %",)


def test_several_lines_in_one_text_are_several_lines() -> None:
    assert kept("a\n\nb").lines == ("a", "", "b")


@pytest.mark.parametrize("secret", ["KEY", "5ec"])
def test_a_presigned_url_loses_what_makes_it_one(secret: str) -> None:
    text = storable(f"GET {URL} 403")
    assert secret not in text
    assert text.startswith("GET https://bucket.example.org/a.tar.gz?X-Amz-Date=1&")
    assert text.endswith(" 403")


def test_what_no_utf8_can_hold_does_not_keep_a_history_from_being_written() -> None:
    assert kept("caf\udce9").lines == ("caf?",)


def test_a_smaller_share_keeps_the_end() -> None:
    lines = ("one", "two", "three")
    assert shortened(lines, 10) == ("two", "three")
    assert shortened(lines, 9) == ("three",)
    assert shortened(lines, 1000) == lines
