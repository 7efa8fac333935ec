"""A cache of a real Django is cleared by the release's own settings."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.agent_client import AgentFailure
from support.migrating_postgresql import installed
from support.released import Released, released

_MANAGE = b"""
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "conf.settings")
from django.core.management import execute_from_command_line
if __name__ == "__main__":
    execute_from_command_line(sys.argv)
"""
_SETTINGS = """
SECRET_KEY = "x"
CACHES = {{
    "default": {{
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": "{place}",
    }},
    "memory": {{"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    "slow": {{"BACKEND": "conf.slow.Slow"}},
}}
"""
_SLOW = b"""
import time
from django.core.cache.backends.base import BaseCache

class Slow(BaseCache):
    def __init__(self, server, params):
        super().__init__(params)

    def clear(self):
        time.sleep(600)
"""
_FILL = "import django; django.setup(); from django.core.cache import cache; cache.set('a', 1)"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def app(root: Path, place: Path) -> Iterator[Released]:
    settings = {
        "app/manage.py": _MANAGE,
        "app/conf/__init__.py": b"",
        "app/conf/settings.py": _SETTINGS.format(place=place).encode(),
        "app/conf/slow.py": _SLOW,
    }
    with released(root, settings) as app:
        library = app.root / "releases" / "1.0" / "lib"
        for name in ("django", "asgiref", "sqlparse"):
            (library / name).symlink_to(installed() / name)
        variables = {**os.environ, "DJANGO_SETTINGS_MODULE": "conf.settings"}
        subprocess.run([app.current / "bin" / "python", "-c", _FILL], check=True, env=variables)
        yield app


@pytest.mark.parametrize("settings", [None, pytest.param("conf.settings", marks=pytest.mark.sweep)])
def test_a_cache_of_the_settings_is_emptied(
    settings: str | None, app: Released, place: Path
) -> None:
    assert list(place.glob("*.djcache"))
    table = {"django": {"alias": "default", "settings": settings}}
    app.perform("clear_cache", "1.0", table)
    assert app.client.output.strip() == "Django: cache 'default' (FileBasedCache) is empty"
    assert not list(place.glob("*.djcache"))


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("alias", "words"),
    [("memory", "is in the memory of each process"), ("pages", "have no cache 'pages'")],
)
def test_one_that_cannot_be_cleared_from_here_is_refused(
    alias: str, words: str, app: Released
) -> None:
    with pytest.raises(AgentFailure, match="its command failed with exit status 1"):
        app.perform("clear_cache", "1.0", {"django": {"alias": alias}})
    assert words in app.client.output


def test_one_that_hangs_is_ended_in_time(app: Released) -> None:
    with pytest.raises(AgentFailure) as caught:
        app.perform("clear_cache", "1.0", {"django": {"alias": "slow"}}, timeout=1.5)
    assert caught.value.code == "step-timeout"
    assert not any("clear" in line for line in app.client.output.splitlines())
