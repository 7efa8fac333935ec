"""Environments that take over from others, and what is told when they do it wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.config.errors import ConfigError
from castoff.config.load import load
from castoff.config.model import Config, Environment

APPS = "[apps.a]\n"
STAGING = """
[environments.staging]
user = "deploy"
keep = 3
env = { LEVEL = "debug", SITE = "x" }
limits = { connect = 5, release = 60 }
hosts = [{ name = "s1", roles = ["web"] }]

[[environments.staging.steps]]
name = "migrate"
moment = "once"
command = "migrate"

[[environments.staging.steps]]
name = "restart"
moment = "activate"
command = "restart staging"
roles = ["web"]
"""


def read(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "castoff.toml"
    path.write_text(APPS + text)
    return load(path).config


def complaints(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    return [str(problem) for problem in caught.value.problems]


def line(text: str, part: str) -> int:
    """Return the line that a part of a text stands on, in the file."""
    return (APPS + text)[: (APPS + text).index(part)].count("\n") + 1


def steps(env: Environment) -> list[tuple[str, str | None]]:
    return [(step.name, step.command) for step in env.steps]


def test_what_is_not_said_is_as_in_the_other(tmp_path: Path) -> None:
    text = STAGING + '[environments.production]\ninherits = "staging"\n'

    config = read(tmp_path, text)

    staging, production = config.environments.values()
    assert production == staging.model_copy(update={"inherits": "staging"})


def test_what_is_said_wins_and_tables_are_merged_by_key(tmp_path: Path) -> None:
    more = """
[environments.production]
inherits = "staging"
keep = 9
env = { LEVEL = "info" }
limits = { connect = 7 }
"""
    production = read(tmp_path, STAGING + more).environments["production"]

    assert (production.user, production.keep) == ("deploy", 9)
    assert production.env == {"LEVEL": "info", "SITE": "x"}
    assert (production.limits.connect, production.limits.release) == (7, 60)


def test_hosts_are_taken_over_only_where_none_are_given(tmp_path: Path) -> None:
    more = """
[environments.near]
inherits = "staging"
[environments.own]
inherits = "staging"
hosts = [{ name = "p1", roles = ["web"] }]
[environments.found]
inherits = "staging"
hosts_from = { command = "list" }
"""
    found = read(tmp_path, STAGING + more).environments

    names = {name: [host.name for host in env.hosts] for name, env in found.items()}
    assert names == {"staging": ["s1"], "near": ["s1"], "own": ["p1"], "found": []}
    assert found["own"].hosts_from is None


def test_a_step_takes_the_place_of_its_namesake_and_others_come_last(tmp_path: Path) -> None:
    more = """
[environments.production]
inherits = "staging"
[[environments.production.steps]]
name = "warm"
moment = "prepare"
command = "warm"
[[environments.production.steps]]
name = "migrate"
moment = "once"
command = "migrate carefully"
"""
    production = read(tmp_path, STAGING + more).environments["production"]

    assert steps(production) == [
        ("migrate", "migrate carefully"),
        ("restart", "restart staging"),
        ("warm", "warm"),
    ]


def test_inherited_steps_can_be_left_out(tmp_path: Path) -> None:
    more = '[environments.p]\ninherits = "staging"\nwithout_steps = ["restart"]\n'

    assert steps(read(tmp_path, STAGING + more).environments["p"]) == [("migrate", "migrate")]


def test_a_chain_is_followed_to_its_end(tmp_path: Path) -> None:
    text = (
        '[environments.c]\ninherits = "b"\nwithout_steps = ["migrate"]\nenv = { SITE = "c" }\n'
        '[environments.b]\ninherits = "staging"\nkeep = 4\nenv = { LEVEL = "b" }\n' + STAGING
    )

    last = read(tmp_path, text).environments["c"]

    assert (last.user, last.keep, last.env) == ("deploy", 4, {"LEVEL": "b", "SITE": "c"})
    assert steps(last) == [("restart", "restart staging")]


def test_a_circle_is_told_on_each_of_its_environments(tmp_path: Path) -> None:
    text = (
        '[environments.a]\ninherits = "b"\n[environments.b]\ninherits = "a"\n'
        '[environments.c]\ninherits = "a"\n'
    )

    assert complaints(tmp_path, text) == [
        "3: [environments.a] inherits from itself: a -> b -> a",
        "5: [environments.b] inherits from itself: b -> a -> b",
    ]


def test_an_unknown_environment_is_told_with_the_one_that_was_meant(tmp_path: Path) -> None:
    text = STAGING + '[environments.production]\ninherits = "stagging"\n'

    assert complaints(tmp_path, text) == [
        (
            f"{line(text, 'inherits')}: [environments.production] inherits 'stagging', which is "
            "not under [environments]; did you mean 'staging'?"
        )
    ]


def test_a_step_that_is_left_out_must_be_there(tmp_path: Path) -> None:
    text = STAGING + '[environments.p]\ninherits = "staging"\nwithout_steps = ["restrat"]\n'

    assert complaints(tmp_path, text) == [
        (
            f"{line(text, 'without')}: [environments.p] no inherited step is named 'restrat'; "
            "did you mean 'restart'?"
        )
    ]


@pytest.mark.parametrize(
    ("good", "bad", "complaint"),
    [
        ("keep = 3", "kep = 3", "[environments.staging] unknown key 'kep'; did you mean 'keep'?"),
        ("connect = 5", "connect = 0", "[environments.staging.limits] connect: must be more than"),
        ('moment = "once"', 'moment = "onec"', "[[environments.staging.steps]] moment: must be"),
        ('roles = ["web"]\n', 'roles = ["wbe"]\n', "step 'restart' wants role 'wbe'"),
    ],
)
def test_a_mistake_that_is_inherited_is_told_once_and_where_it_stands(
    tmp_path: Path, good: str, bad: str, complaint: str
) -> None:
    text = STAGING.replace(good, bad, 1) + '[environments.production]\ninherits = "staging"\n'

    (told,) = complaints(tmp_path, text)

    assert told.startswith(f"{line(text, bad)}: ")
    assert complaint in told


def test_a_mistake_in_an_own_step_is_told_on_its_own_line(tmp_path: Path) -> None:
    more = """
[environments.production]
inherits = "staging"
[[environments.production.steps]]
name = "warm"
moment = "prepare"
comand = "warm up"
"""
    text = STAGING + more

    told = complaints(tmp_path, text)

    assert told == [
        (
            f"{line(text, 'comand')}: [[environments.production.steps]] unknown key 'comand'; "
            "did you mean 'command'?"
        )
    ]


def test_an_inherited_step_whose_role_no_host_has_here_is_told(tmp_path: Path) -> None:
    text = STAGING + '[environments.p]\ninherits = "staging"\nhosts = [{ name = "p1" }]\n'

    assert complaints(tmp_path, text) == [
        (
            f"{line(text, 'inherits')}: [environments.p] step 'restart' wants role 'web', which no "
            "host has (inherited from 'staging')"
        )
    ]
