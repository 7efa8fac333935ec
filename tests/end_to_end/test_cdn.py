"""Assets and sites behind a CDN that caches, on real servers, read in a real browser meanwhile.

SeaweedFS is the bucket, nginx the edge, moto CloudFront's interface.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest

from support import assets_server, built_pages, s3
from support.chromium import program
from support.edge import CloudFront, Edge, cloudfront, edge
from support.fleet import Fleet, FleetHost
from support.fleet_fixtures import isolated
from support.site import Site
from support.traps import wait_until
from support.visitor import PAUSE, Visitor, listed_files, visiting

PORT = 8200
# Longer than any trial: whatever is still right at its end was not right by chance.
LONG = "public, max-age=3600"

pytestmark = [
    pytest.mark.usefixtures("aws_environment"),
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed"),
]
in_browser = pytest.mark.skipif(program() is None, reason="Chromium is not installed")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a site of which three versions are built and pushed."""
    return built_pages.build(tmp_path_factory.mktemp("three") / "site", 3)


@pytest.fixture(scope="module")
def ten(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a site of which ten versions are built and pushed."""
    return built_pages.build(tmp_path_factory.mktemp("ten") / "site", 10)


@dataclass
class Stand:
    """A site, its bucket and its CDN."""

    site: Site
    bucket: str
    edge: Edge
    cloudfront: CloudFront
    distribution: str

    def store(self) -> Path:
        return self.site.folder / "artifacts/store"


@contextmanager
def stand(
    site: Site, seaweed: str, moto: str, folder: Path, path: str, address: str = "127.0.0.1"
) -> Iterator[Stand]:
    """Put a CDN in front of a new bucket, and let the site's commands reach both."""
    bucket = s3.make_bucket(seaweed)
    with (
        edge(folder / "edge", seaweed, bucket, address=address, path=path) as made,
        cloudfront(moto, made) as front,
    ):
        client = boto3.client("cloudfront", endpoint_url=front.url)
        origin = {
            "Id": "bucket",
            "DomainName": f"{bucket}.s3.amazonaws.com",
            "OriginPath": path,
            "S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/E1"},
        }
        config: Any = {
            "CallerReference": bucket,
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {
                "TargetOriginId": "bucket",
                "ViewerProtocolPolicy": "allow-all",
            },
        }
        answer = client.create_distribution(DistributionConfig=config)
        site.variables.update(s3.ENVIRONMENT)
        site.variables["AWS_ENDPOINT_URL_CLOUDFRONT"] = front.url
        yield Stand(site, bucket, made, front, answer["Distribution"]["Id"])


def site_config(it: Stand, seaweed: str, lines: str) -> str:
    return f"""
[environments.production.site]
store = "s3://{it.bucket}/www"
endpoint_url = "{seaweed}"
url = "{it.edge.url}"
cache_control = "{LONG}"
timeout = 60
{lines}
"""


def configure(it: Stand, seaweed: str, kind: str) -> None:
    lines = {
        "copy": f'cloudfront = "{it.distribution}"',
        "prefix": f'cloudfront = "{it.distribution}"\nswitch = "prefix"',
        "purge": f"purge = '''{it.edge.purge}'''",
    }[kind]
    it.site.write({"castoff.toml": built_pages.APP + site_config(it, seaweed, lines)})


def march(site: Site, visitor: Visitor, versions: int, backs: tuple[int, ...]) -> list[str]:
    """Release from the second version on, and go back after some; return what was live in turn."""
    live = ["1.0"]
    for number in range(2, versions + 1):
        steps = [("release", f"{number}.0")]
        if number in backs:
            steps.append(("rollback", f"{number - 1}.0"))
        for command, version in steps:
            words = (command, version) if command == "release" else (command,)
            done = site.castoff(*words)
            assert done.code == 0, done.err
            live.append(version)
            visitor.wait_for(version)
            assert not visitor.faults, visitor.faults
    return live


def released_and_read(
    it: Stand,
    seaweed: str,
    kind: str,
    versions: int,
    backs: tuple[int, ...],
    profile: Path,
    *,
    pause: float = PAUSE,
) -> None:
    configure(it, seaweed, kind)
    first = it.site.castoff("release", "1.0")
    assert first.code == 0, first.err
    pages = [it.edge.url, f"{it.edge.url}deep/page.html"]
    with visiting(profile, pages, [it.edge.url], pause=pause) as visitor:
        for number in range(1, versions + 1):
            visitor.know(listed_files(it.store(), "pages", f"{number}.0"))
        visitor.wait_for("1.0")
        live = march(it.site, visitor, versions, backs)
    assert not visitor.faults, visitor.faults
    assert set(visitor.seen) == set(live)
    assert visitor.loaded > 10 * len(live)
    if kind == "purge":
        return
    wanted = [built_pages.changed_paths(it.site, old, new) for old, new in pairwise(live)]
    # The very first release found nothing there, and so all of it is new.
    asked = [sorted(paths) for paths in it.cloudfront.invalidated]
    assert asked[1:] == wanted
    assert set(asked[0]) >= {"/", "/index.html", "/deep/page.html", "/robots.txt"}
    assert not any("app." in path for paths in asked for path in paths)


@in_browser
@pytest.mark.parametrize("kind", ["copy", pytest.param("prefix", marks=pytest.mark.sweep)])
def test_readers_of_a_site_never_miss_an_asset(
    three: Site, seaweed_url: str, moto_url: str, tmp_path: Path, kind: str
) -> None:
    site = built_pages.copy(three, tmp_path / "site", "")
    path = "/www" if kind != "prefix" else "/www/releases/1.0"
    with stand(site, seaweed_url, moto_url, tmp_path, path) as it:
        released_and_read(it, seaweed_url, kind, 3, (3,), tmp_path / "profile")


@in_browser
@pytest.mark.sweep
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", ["copy", "prefix", "purge"])
def test_readers_of_a_site_never_miss_an_asset_in_ten_releases_and_three_rollbacks(
    ten: Site, seaweed_url: str, moto_url: str, tmp_path: Path, kind: str
) -> None:
    site = built_pages.copy(ten, tmp_path / "site", "")
    path = "/www" if kind != "prefix" else "/www/releases/1.0"
    with stand(site, seaweed_url, moto_url, tmp_path, path) as it:
        profile = tmp_path / "profile"
        released_and_read(it, seaweed_url, kind, 10, (4, 7, 10), profile, pause=0)


def app_config(it: Stand, seaweed: str, hosts: str) -> str:
    return f"""
[apps.pages.cdn]
urls = ["{it.edge.url}"]
store = "s3://{it.bucket}/www"
endpoint_url = "{seaweed}"
allow_origins = ["*"]
{hosts}
"""


def app_on_hosts_read(
    site: Site,
    fleet: Fleet,
    it: Stand,
    seaweed: str,
    versions: int,
    backs: tuple[int, ...],
    *,
    pause: float = PAUSE,
) -> None:
    environment = f'[environments.production]\nknown_hosts = "{fleet.known_hosts}"\n'
    hosts = environment + fleet.toml_hosts("production")
    site.write({"castoff.toml": built_pages.APP + app_config(it, seaweed, hosts)})
    for number in range(1, versions + 1):
        sent = site.castoff("push", f"{number}.0", "--json")
        assert sent.code == 0, sent.err
        # The pictures are there already from the second version on.
        assert sent.json["assets"]["sent"] < sent.json["assets"]["total"] or number == 1
    first = site.castoff("release", "1.0")
    assert first.code == 0, first.err
    pages = [serve_page(host, it.edge.url) for host in fleet.hosts[:2]]
    profile = site.folder.parent / "profile"
    with visiting(profile, pages, [it.edge.url], pause=pause) as visitor:
        for number in range(1, versions + 1):
            visitor.know(listed_files(it.store(), "pages", f"{number}.0"))
        visitor.wait_for("1.0")
        live = march(site, visitor, versions, backs)
    assert not visitor.faults, visitor.faults
    assert set(visitor.seen) == set(live)
    assert visitor.loaded > 10 * len(live)


def serve_page(host: FleetHost, cdn: str) -> str:
    """Start the page's server on a host; return the page's URL once it answers."""
    shutil.copy(assets_server.__file__, host.path(host.root) / "assets_server.py")
    host.run(
        f"setsid python3 {host.root}/assets_server.py {host.root}/pages {PORT} {cdn} "
        ">/dev/null 2>&1 </dev/null &"
    )
    page = f"http://{host.address}:{PORT}/"
    wait_until(lambda: _answers(page), f"{page} does not answer")
    return page


def _answers(page: str) -> bool:
    with suppress(OSError), urlopen(page, timeout=5) as answer:
        return bool(answer.status == 200)
    return False


@in_browser
@pytest.mark.fleet
def test_readers_of_an_app_on_hosts_never_miss_an_asset(
    three: Site, fleet: Fleet, seaweed_url: str, moto_url: str, tmp_path: Path
) -> None:
    isolated(fleet)
    site = built_pages.copy(three, tmp_path / "site", "")
    with stand(site, seaweed_url, moto_url, tmp_path, "/www", fleet.gateway) as it:
        app_on_hosts_read(site, fleet, it, seaweed_url, 3, (3,))


@in_browser
@pytest.mark.fleet
@pytest.mark.sweep
@pytest.mark.timeout(900)
def test_readers_of_an_app_on_hosts_never_miss_an_asset_in_ten_releases_and_three_rollbacks(
    ten: Site, fleet: Fleet, seaweed_url: str, moto_url: str, tmp_path: Path
) -> None:
    isolated(fleet)
    site = built_pages.copy(ten, tmp_path / "site", "")
    with stand(site, seaweed_url, moto_url, tmp_path, "/www", fleet.gateway) as it:
        app_on_hosts_read(site, fleet, it, seaweed_url, 10, (4, 7, 10), pause=0)


def test_assets_that_the_public_does_not_get_stop_the_release_before_any_host_flips(
    three: Site, seaweed_url: str, moto_url: str, tmp_path: Path
) -> None:
    site = built_pages.copy(three, tmp_path / "site", "")
    hosts = """
[environments.production]
transport = "local"
root = "./hosts/{host}"
[[environments.production.hosts]]
name = "web1"
"""
    with stand(site, seaweed_url, moto_url, tmp_path, "/www") as it:
        site.write({"castoff.toml": built_pages.APP + app_config(it, seaweed_url, hosts)})
        assert site.castoff("push", "1.0").code == 0
        released = site.castoff("release", "1.0")
        assert released.code == 0, released.err

        files = listed_files(it.store(), "pages", "2.0")
        script = next(path for path in files if path.startswith("app."))
        style = next(path for path in files if path.startswith("css/app."))

        # Somebody was too early, and the edge remembers that there is nothing.
        too_early = Request(f"{it.edge.url}{script}", headers={"Origin": "https://castoff.invalid"})
        with pytest.raises(HTTPError):
            urlopen(too_early, timeout=10)
        assert site.castoff("push", "2.0").code == 0
        refused(site, f"{it.edge.url}{script} answers with status 404")

        it.edge.forget_all()
        right = s3.get(seaweed_url, it.bucket, f"www/{style}")
        s3.put(seaweed_url, it.bucket, f"www/{style}", b"x" + right[1:])
        said = refused(site, f"{it.edge.url}{style} answers with the wrong bytes (other content)")
        assert "remove" in said
        # What is at the origin now is right, but the edge has kept what was wrong.
        s3.remove(seaweed_url, it.bucket, f"www/{style}")
        assert "1 sent" in site.castoff("push", "2.0").out
        refused(site, f"{it.edge.url}{style} answers with the wrong bytes (other content)")

        it.edge.forget_all()
        it.edge.add("proxy_hide_header Access-Control-Allow-Origin;")
        refused(site, "gives no leave to pages of other origins")

        it.edge.add("")
        done = site.castoff("release", "2.0")
        assert done.code == 0, done.err
        assert (site.folder / "hosts/web1/current").readlink().name == "2.0"


def refused(site: Site, why: str) -> str:
    """See that a release of 2.0 stops for a reason, and that 1.0 stays; return what it said."""
    outcome = site.castoff("release", "2.0")
    assert outcome.code == 14, outcome.err
    assert why in outcome.err
    assert (site.folder / "hosts/web1/current").readlink().name == "1.0"
    return outcome.err


def test_a_site_whose_cache_keeps_the_old_pages_goes_back_and_a_purge_mends_it(
    three: Site, seaweed_url: str, moto_url: str, tmp_path: Path
) -> None:
    site = built_pages.copy(three, tmp_path / "site", "")
    with stand(site, seaweed_url, moto_url, tmp_path, "/www") as it:
        deaf = site_config(it, seaweed_url, "").replace("timeout = 60", "timeout = 2")
        site.write({"castoff.toml": built_pages.APP + deaf})
        first = site.castoff("release", "1.0")
        assert first.code == 0, first.err
        stale = site.castoff("release", "2.0")
        assert stale.code == 15, stale.err
        assert "the site is not what was published" in stale.err
        assert "1.0" in it.edge.get("")

        configure(it, seaweed_url, "purge")
        done = site.castoff("release", "2.0")
        assert done.code == 0, done.err
        assert "2.0" in it.edge.get("")
        back = site.castoff("rollback")
        assert back.code == 0, back.err
        assert "1.0" in it.edge.get("deep/page.html")
