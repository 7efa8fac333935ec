"""Entries of `shared` and `writable`, in both spellings, and steps that run elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.config.errors import ConfigError
from castoff.config.load import load
from castoff.config.model import App, KeptPath, kept_paths

ENVIRONMENT = """
[environments.e]
hosts = [{ name = "web1" }]
[[environments.e.steps]]
name = "start"
"""


def app(folder: Path, lines: str) -> App:
    return read(folder, f"[apps.shop]\n{lines}")


def read(folder: Path, text: str) -> App:
    path = folder / "castoff.toml"
    path.write_text(text)
    return load(path).config.apps["shop"]


def complaints(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    return caught.value.message.replace(f"{folder / 'castoff.toml'}:", "").splitlines()


def test_both_spellings_stand_side_by_side(tmp_path: Path) -> None:
    found = app(tmp_path, 'shared = ["env", { path = "media/", mode = "2775", group = "www" }]')
    assert kept_paths(found.shared) == (
        KeptPath(path="env"),
        KeptPath(path="media/", mode="2775", group="www"),
    )


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("shared = [5]", "2: [apps.shop] shared: expected text, got number 5"),
        (
            'shared = [{ path = "media/", mdoe = "755" }]',
            "2: [[apps.shop.shared]] unknown key 'mdoe'; did you mean 'mode'?",
        ),
        ('writable = [{ mode = "755" }]', "2: [[apps.shop.writable]] missing key 'path'"),
        (
            'shared = [{ path = "media/", mode = "rwx" }]',
            '2: [[apps.shop.shared]] mode: must be three or four octal digits, got text "rwx"',
        ),
        (
            'shared = [{ path = "media/", owner = "-R" }]',
            (
                "2: [[apps.shop.shared]] owner: must not start with '-' nor hold white space, "
                'got text "-R"'
            ),
        ),
        (
            'shared = ["media/"]\nwritable = ["media/cache"]',
            "3: [apps.shop] 'media/cache' and 'media/' lie in each other",
        ),
        (
            'writable = [{ path = "../up" }]',
            "2: [apps.shop] '../up' must be a relative path without '..'",
        ),
    ],
)
def test_a_mistake_in_an_entry_is_told_with_its_line(tmp_path: Path, lines: str, said: str) -> None:
    assert complaints(tmp_path, f"[apps.shop]\n{lines}\n") == [said]


def test_a_request_is_never_made_on_the_controller(tmp_path: Path) -> None:
    step = 'moment = "activate"\nrun_on = "controller"\nhttp = { url = "http://x/" }\n'
    assert complaints(tmp_path, f"[apps.shop]{ENVIRONMENT}{step}") == [
        "7: [[environments.e.steps]] step 'start' (http) can only be done on the host itself"
    ]


@pytest.mark.parametrize("moment", ["backup", "once"])
def test_what_runs_once_runs_where_a_lock_keeps_it_from_running_twice(
    tmp_path: Path, moment: str
) -> None:
    step = f'moment = "{moment}"\nrun_on = "controller"\ncommand = "true"\n'
    (told,) = complaints(tmp_path, f"[apps.shop]{ENVIRONMENT}{step}")
    assert told.startswith(f"7: [[environments.e.steps]] step 'start' at the moment '{moment}' can")


def test_blue_green_needs_steps_that_start_and_check_the_idle_instance(tmp_path: Path) -> None:
    strategy = '[environments.e.strategy]\nkind = "blue-green"\n'
    step = 'moment = "start_idle"\ncommand = "true"\n'
    assert complaints(tmp_path, f"[apps.shop]{ENVIRONMENT}{step}{strategy}") == [
        (
            "9: [environments.e.strategy] 'blue-green' needs a step of the moment 'check_idle', "
            "which checks the idle instance"
        )
    ]
