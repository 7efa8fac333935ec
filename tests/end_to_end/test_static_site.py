"""Static sites and assets on a CDN, with real servers: from the build to a rollback."""

from __future__ import annotations

import functools
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from support.site import Site

CONFIG = """\
[apps.pages]
[apps.pages.build]
include = []
[apps.pages.assets]
sources = ["public"]
base_url = "{url}"
{cdn}

[environments.production]
[environments.production.site]
store = "file://www"
url = "{url}"
timeout = 20
{site}
"""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        del format, args


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    """Return a function that serves a folder over HTTP and returns the URL."""
    servers: list[ThreadingHTTPServer] = []

    def start(folder: Path) -> str:
        handler = functools.partial(_Quiet, directory=str(folder))
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def page(version: str, *, with_robots: bool = False) -> dict[str, str]:
    files = {
        "public/index.html": f"<!doctype html><link rel=stylesheet href=app.css><p>{version}</p>",
        "public/deep/page.html": f"<!doctype html><p>{version}</p><script src=../app.js></script>",
        "public/app.css": f".v{version.replace('.', '-')} {{ color: red }}",
        "public/app.js": f"window.version = '{version}';",
    }
    return {**files, "public/robots.txt": "User-agent: *"} if with_robots else files


def build(site: Site, version: str, files: dict[str, str]) -> None:
    site.write(files)
    site.commit(version)
    for words in (("build", "--version", version), ("push", version)):
        outcome = site.castoff(*words)
        assert outcome.code == 0, outcome.err


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def served(folder: Path, serve: Callable[[Path], str], switch: str) -> tuple[Site, str]:
    """Return a site that is configured and has no version yet, and its URL."""
    site = Site(folder / "site")
    www = site.folder / "www"
    www.mkdir()
    url = serve(www / "current" if switch == "prefix" else www)
    config = CONFIG.format(url=url, cdn="", site=f'switch = "{switch}"')
    site.write({"castoff.toml": config, ".gitignore": "/artifacts/\n/www/\n"})
    return site, url


@pytest.mark.parametrize("switch", ["copy", "prefix"])
def test_a_site_without_hosts_is_released_and_rolled_back(
    tmp_path: Path, serve: Callable[[Path], str], switch: str
) -> None:
    site, url = served(tmp_path, serve, switch)
    build(site, "1.0", page("1.0", with_robots=True))
    first = site.castoff("release", "1.0")
    assert first.code == 0, first.err
    assert "<p>1.0" in get(url)
    (site.folder / "public/robots.txt").unlink()
    build(site, "2.0", page("2.0"))
    assert site.castoff("plan", "2.0").code == 0
    second = site.castoff("release", "2.0")
    assert second.code == 0, second.err
    assert "<p>2.0" in get(url)
    with pytest.raises(urllib.error.HTTPError):
        get(f"{url}robots.txt")
    status = site.castoff("status", "--json")
    assert status.code == 0, status.err
    assert status.json["current"] == "2.0"
    back = site.castoff("rollback")
    assert back.code == 0, back.err
    assert "<p>1.0" in get(url)
    assert "<p>1.0" in get(f"{url}deep/page.html")
    assert get(f"{url}robots.txt") == "User-agent: *"


def test_a_folder_s_url_may_hold_a_space(tmp_path: Path, serve: Callable[[Path], str]) -> None:
    site = Site(tmp_path / "site")
    www = site.folder / "the www"
    www.mkdir()
    url = serve(www / "current")
    config = CONFIG.format(url=url, cdn="", site='switch = "prefix"')
    config = config.replace("file://www", "file://the%20www")
    site.write({"castoff.toml": config, ".gitignore": "/artifacts/\n/the www/\n"})
    build(site, "1.0", page("1.0"))
    done = site.castoff("release", "1.0")
    assert done.code == 0, done.err
    assert "<p>1.0" in get(url)


@pytest.mark.parametrize("switch", ["copy", "prefix"])
def test_a_site_that_the_public_does_not_see_goes_back(
    tmp_path: Path, serve: Callable[[Path], str], switch: str
) -> None:
    site, url = served(tmp_path, serve, switch)
    build(site, "1.0", page("1.0"))
    assert site.castoff("release", "1.0").code == 0
    text = (site.folder / "castoff.toml").read_text()
    build(site, "2.0", page("2.0"))
    purge = "[ $CASTOFF_VERSION != 2.0 ] || { echo no such cache; exit 3; }"
    (site.folder / "castoff.toml").write_text(f'{text}purge = "{purge}"\n')
    failed = site.castoff("release", "2.0")
    assert failed.code == 15, failed.err
    assert "ended with status 3: no such cache" in failed.err
    assert "<p>1.0" in get(url)

    (site.folder / "castoff.toml").write_text(f'{text}purge = "exit 3"\n')
    stuck = site.castoff("release", "2.0")
    assert stuck.code == 16, stuck.err
    assert "the site could not be brought back to 1.0" in stuck.err
    (site.folder / "castoff.toml").write_text(text)
    assert site.castoff("abort").code == 0
    assert "<p>1.0" in get(url)
    assert site.castoff("status").code == 0


def test_assets_that_the_cdn_does_not_have_stop_the_release(
    tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    site = Site(tmp_path / "site")
    cdn = tmp_path / "cdn"
    for folder in (site.folder / "www", cdn):
        folder.mkdir()
    www_url, cdn_url = serve(site.folder / "www"), serve(cdn)
    table = f'[apps.pages.cdn]\nurls = ["{cdn_url}"]\nstore = "{cdn.as_uri()}"'
    config = CONFIG.format(url=www_url, cdn=table, site="")
    config = config.replace(f'base_url = "{www_url}"', f'base_url = "{cdn_url}"')
    site.write({"castoff.toml": config, ".gitignore": "/artifacts/\n/www/\n"})
    build(site, "1.0", page("1.0"))
    (css,) = cdn.glob("app.*.css")
    css.unlink()
    refused = site.castoff("release", "1.0")
    assert refused.code == 14, refused.err
    assert f"{cdn_url}{css.name} answers with status 404" in refused.err
    assert not (site.folder / "www/index.html").exists()
    assert site.castoff("push", "1.0").code == 0
    done = site.castoff("release", "1.0")
    assert done.code == 0, done.err
    text = get(www_url)
    assert f"{cdn_url}{css.name}" in text
    assert not list((site.folder / "www").glob("app.*"))


def test_old_assets_of_a_site_without_a_cdn_are_collected(
    tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    site = Site(tmp_path / "site")
    www = site.folder / "www"
    www.mkdir()
    config = CONFIG.format(url=serve(www), cdn="", site="")
    site.write({"castoff.toml": config, ".gitignore": "/artifacts/\n/www/\n"})
    for version in ("1.0", "2.0", "3.0"):
        build(site, version, page(version))
        done = site.castoff("release", version)
        assert done.code == 0, done.err
    (www / "theirs.txt").write_text("not ours")
    assert len(list(www.glob("app.*.css"))) == 3
    words = ("gc", "--apply", "--keep", "2", "--window", "0s", "--grace", "0s")
    said = [site.castoff(*words).out for _ in range(3)]
    assert "removed pages 1.0" in said[1]
    assert "public asset" in said[2]
    assert len(list(www.glob("app.*.css"))) == 2
    assert (www / "theirs.txt").exists()
    back = site.castoff("rollback")
    assert back.code == 0, back.err

    # Two apps in one place: what one no longer needs the other may.
    text = (site.folder / "castoff.toml").read_text()
    other = text[text.index("[apps.pages]") : text.index("[environments")].replace("pages", "more")
    (site.folder / "castoff.toml").write_text(f"{other}\n{text}")
    shared = site.castoff("gc", "--app", "pages")
    assert shared.code == 0, shared.err
    assert "note: assets in file://www stay" in shared.out
