"""What programs print is shown without what it would do to a terminal or a page."""

from __future__ import annotations

import pytest

from castoff.cli.render.plain_text import plain


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        ("\x1b[1;32mok\x1b[0m", "ok"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b]8;;https://example.org\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Bplain\x1b7\x1b8", "plain"),
        ("a\tb\nc", "a\tb\nc"),
        ("nul\x00 bell\x07 csi\x9b31m", "nul\ufffd bell\ufffd csi\ufffd31m"),
        ("user\u202efdp.exe", "user\ufffdfdp.exe"),
        ("schön, 好, שלום", "schön, 好, שלום"),
        ("cut \x1b", "cut "),
    ],
)
def test_escapes_go_and_control_characters_are_marked(printed: str, shown: str) -> None:
    assert plain(printed) == shown
