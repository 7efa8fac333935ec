"""What is said to do about failures."""

from __future__ import annotations

from castoff.releaser.errors import HostError, hints_of


def test_each_thing_to_do_is_said_once() -> None:
    failures = [HostError(f"web{n}", "no", hint="Mend it.") for n in range(3)]
    assert hints_of([*failures, HostError("web9", "no")]) == ["Mend it."]


def test_of_hundreds_of_things_to_do_the_first_are_said() -> None:
    failures = [HostError(f"web{n}", "no", hint=f"Try: ssh web{n}") for n in range(300)]
    *first, rest = hints_of(failures)
    assert first == [f"Try: ssh web{n}" for n in range(8)]
    assert rest == "and so on, for 292 more"
