"""What steps that restart, clear caches and ask over HTTP must say, and must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.config.errors import ConfigError
from castoff.config.load import load

STEP = """
[apps.shop]
[environments.production]
hosts = [{ name = "web1", address = "192.0.2.1" }]
[[environments.production.steps]]
name = "step"
moment = "activate"
"""


def read(folder: Path, table: str) -> None:
    path = folder / "castoff.toml"
    path.write_text(f"{STEP}{table}\n")
    load(path)


@pytest.mark.parametrize(
    "table",
    [
        'restart = { systemd = { unit = "shop", action = "socket" } }',
        'restart = { gunicorn = { pid_file = "shared/g.pid" }, grace = 0, settle = 0 }',
        'restart = { uwsgi = { pid_file = "/run/u.pid", fifo = "/run/u.fifo" } }',
        'restart = { supervisor = { programs = ["shop:*"], signal = "HUP" } }',
        'restart = { touch = "shared/restart.txt", match = "shop", answers.tcp = { port = 80 } }',
        'clear_cache = { redis = { url = "redis://cache1", prefix = "shop:" } }',
        'clear_cache = { memcached = "127.0.0.1:11211" }',
        "clear_cache = { django = {} }",
        'clear_cache = { url = { url = "http://x/", method = "PURGE" } }',
        'http = { url = "https://x/", connect = "[::1]:443", ca = "/etc/ca.pem" }',
        'http = { url = "http://x/", unix = "/run/x.sock", json_fields = { "a.b" = true } }',
    ],
)
def test_what_says_one_thing_loads(tmp_path: Path, table: str) -> None:
    read(tmp_path, table)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("restart = {}", "needs just one of 'systemd', 'gunicorn'"),
        ('restart = { touch = "a", command = "b" }', "needs just one of"),
        ('restart = { systemd = { unit = "a" }, match = "b" }', "only for 'touch' and 'command'"),
        ('restart = { touch = "a", match = "b", pid_file = "c" }', "either 'pid_file' or 'match'"),
        ('restart = { systemd = { unit = "-a" } }', "must not start with '-'"),
        (
            'restart = { uwsgi = { pid_file = "a", fifo = "b", touch = "c" } }',
            "either 'fifo' or 'touch'",
        ),
        ('restart = { touch = "a", answers = {} }', "needs either 'http' or 'tcp'"),
        ("clear_cache = {}", "needs just one of 'django'"),
        ('clear_cache = { redis = { url = "redis://x" } }', "needs either 'prefix' or 'flush'"),
        ('clear_cache = { nginx = { folder = "cache" } }', "folder: must be an absolute path"),
        ('clear_cache = { redis = { url = "http://:s3cr3t@x" } }', "must be a URL as in redis://"),
        ('clear_cache = { memcached = "localhost" }', "must be host:port, or the absolute path"),
        ('restart.supervisor = { programs = ["a"], signal = "hup" }', "must be a signal's name"),
        ('restart = { touch = "a", grace = -1 }', "grace: must be at least 0"),
        ('http = { url = "http://x/", connect = "b" }', "must be written address:port"),
        ('http = { url = "http://x/", unix = "b" }', "unix: must be an absolute path"),
        ('http = { url = "http://x/", method = "get" }', "must be in capital letters"),
        ('http = { url = "http://x/", request_headers = { A = "b\\nc" } }', "must be of one line"),
        ('http = { url = "http://x/", json_fields = { a = [] } }', "json_fields"),
        ('http = { url = "http://x/", unix = "/a", connect = "b:1" }', "'connect' or to 'unix'"),
        ('http = { url = "http://x/", verify = false }', "only an https URL"),
        ('http = { url = "https://x/", ca = "a", verify = false }', "needs no 'ca'"),
        (
            'http = { url = "http://x/", request_headers = { "a b" = "c" } }',
            "'a b' cannot be the name",
        ),
    ],
)
def test_what_says_nothing_or_two_things_is_refused(tmp_path: Path, table: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, table)
    assert words in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("table", "fits"),
    [
        ('restart.systemd.unit = "shop@{CASTOFF_COLOR}"', True),
        ('restart.gunicorn.pid_file = "shared/{CASTOFF_COLOR}.pid"', True),
        ('restart.supervisor.programs = ["{PROGRAM}"]', True),
        ('restart = { command = "./up", match = "{PORT}" }', True),
        ('restart.systemd.unit = "shop"', False),
        # All processes of the app, those that serve among them.
        ('restart.command = "./up {PORT}"', False),
    ],
)
def test_a_restart_of_the_idle_instance_says_which_one_that_is(
    tmp_path: Path, table: str, fits: bool
) -> None:
    more = """
[[environments.production.steps]]
name = "up"
moment = "check_idle"
command = "true"
[environments.production.strategy]
kind = "blue-green"
"""
    path = tmp_path / "castoff.toml"
    path.write_text(STEP.replace('"activate"', '"start_idle"') + table + more)
    if fits:
        load(path)
        return
    with pytest.raises(ConfigError, match="does not say which of the two instances it restarts"):
        load(path)


def test_with_two_instances_no_restart_is_about_all_processes(tmp_path: Path) -> None:
    more = """
[[environments.production.steps]]
name = "start"
moment = "start_idle"
command = "true"
[[environments.production.steps]]
name = "up"
moment = "check_idle"
command = "true"
[environments.production.strategy]
kind = "blue-green"
"""
    path = tmp_path / "castoff.toml"
    path.write_text(f'{STEP}restart = {{ command = "./workers", match = "worker" }}\n{more}')
    load(path)
    path.write_text(f'{STEP}restart.command = "./workers"\n{more}')
    with pytest.raises(ConfigError, match="those of the version before go on"):
        load(path)
