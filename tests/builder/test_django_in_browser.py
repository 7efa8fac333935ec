"""A Django project with packages of npm, built by the command and looked at in a real browser.

`shop/` is the project: Bootstrap's SCSS with a colour of its own, Less, and Font Awesome, jQuery,
lodash, D3 and Bootstrap's scripts, all from a committed `package-lock.json`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support import chromium
from support.builds import lock, unpack
from support.site import Site

PROJECT = Path(__file__).with_name("shop")
# Answers as the application does, on standard output.
PAGES = """\
import json, sys, django
django.setup()
from django.test import Client
client = Client(SERVER_NAME="127.0.0.1")
print(json.dumps({url: client.get(url).content.decode() for url in sys.argv[1:]}))
"""


@pytest.fixture
def shop(tmp_path: Path) -> Site:
    made = Site(tmp_path / "shop")
    shutil.copytree(PROJECT, made.folder, dirs_exist_ok=True)
    made.write({"requirements.txt": lock("django==5.2.8")})
    made.commit("a shop")
    return made


def pages(release: Path, *urls: str) -> dict[str, str]:
    """Return what the release's own Django makes of its pages."""
    done = subprocess.run(
        [release / "bin/python", "-c", PAGES, *urls],
        env={
            "PATH": os.environ["PATH"],
            "SECRET_KEY": "x",
            "DJANGO_SETTINGS_MODULE": "shop.settings",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    answers: dict[str, str] = json.loads(done.stdout)
    return answers


@contextmanager
def served(release: Path, folder: Path) -> Iterator[chromium.Site]:
    """Serve the pages, and beside them `static/` as a web server would."""
    for url, text in pages(release, "/", "/second/").items():
        place = folder / url.strip("/")
        place.mkdir(parents=True, exist_ok=True)
        (place / "index.html").write_text(text)
    (folder / "static").symlink_to(release / "static")
    with chromium.serve(folder) as site:
        yield site


@pytest.mark.timeout(600)
@pytest.mark.skipif(chromium.program() is None, reason="needs Chromium")
@pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm")
def test_every_asset_of_its_pages_is_found_and_the_console_is_silent(
    shop: Site, tmp_path: Path
) -> None:
    outcome = shop.castoff("build", "--version", "1.0", "--json", timeout=400)
    assert outcome.code == 0, outcome.err
    release = unpack(Path(outcome.json["archive"]), tmp_path / "release")

    assert not (release / "app/node_modules").exists()
    seen: dict[str, Any] = {}
    with served(release, tmp_path / "served") as site:
        for page in ("", "second/"):
            report, console = chromium.visit(site, page)
            assert console == []
            assert report, f"the page's script did not run to its end; it asked for {site.asked}"
            seen[page] = json.loads(report)
    assert site.missing == []
    loaded = {path for path in site.asked if path.startswith("/static/")}
    assert len(loaded) >= 11
    assert all(re.search(r"\.[0-9a-f]{16}\.", path) for path in loaded)
    assert seen == {
        page: {
            "page": name,
            "columns": 2,
            "chunks": 4,
            "bars": 3,
            "tooltip": "Buy",
            "font": 1,
            "button": "rgb(179, 0, 94)",
            "offer": "rgb(0, 128, 0)",
            "icon": True,
        }
        for page, name in (("", "first"), ("second/", "second"))
    }


def test_its_lock_names_no_host() -> None:
    packages = json.loads((PROJECT / "package-lock.json").read_bytes())["packages"]
    del packages[""]
    assert len(packages) > 30
    for name, package in packages.items():
        assert package["integrity"].startswith("sha512-"), name
        assert "resolved" not in package, name
