"""What the controller makes of a built-in step's table before the agent gets it."""

from __future__ import annotations

from castoff.releaser.built_in import filled


def test_what_is_filled_in_is_not_filled_in_again() -> None:
    # The value of a variable may hold braces, and must not lead to another's, such as a secret.
    variables = {"GREETING": "{TOKEN}", "TOKEN": "secret", "version": "2.0"}
    table = {"url": "/{GREETING}/{version}", "body": '{"v": ["{version}"]}', "tries": [3, "{x}"]}
    assert filled(table, variables) == {
        "url": "/{TOKEN}/2.0",
        "body": '{"v": ["2.0"]}',
        "tries": [3, "{x}"],
    }


def test_what_is_the_shells_is_left_to_it() -> None:
    assert filled("run {version} on ${PORT}", {"PORT": "80", "version": "2"}) == "run 2 on ${PORT}"
