"""The shop of `examples/` on real hosts: PostgreSQL, Redis, nginx, gunicorn, every kind of step.

Version 2 expands the database, version 3 contracts it: see `support/shop.py`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import shop as around
from support.load import Marks, load
from support.paper import balancer
from support.shop import HOOK_KEY, ILL, ROOT, SITE, Shop, Versions, shop

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(600)]

TEA: dict[str, str | tuple[str, bytes]] = {
    "name": "Tea",
    "price": "4.50",
    "availability": "in stock",
    "photo": ("tea.jpg", b"\xff\xd8 of tea"),
}
COFFEE: dict[str, str | tuple[str, bytes]] = {
    "name": "Coffee",
    "price": "7.20",
    "availability": "sold out",
}
# Django's pages are worth more work than the files of other tests.
PAUSE_MS = 80
MARKS = Marks('data%-version="([^"]+)"', page=2, asset=0)


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> Versions:
    """Return the repository whose versions are built once."""
    if reason := around.missing():
        pytest.skip(reason)
    return Versions(tmp_path_factory.mktemp("versions") / "site")


@pytest.fixture
def opened(
    request: pytest.FixtureRequest, versions: Versions, tmp_path: Path, fleet_key: Path
) -> Iterator[Shop]:
    """Return a shop on hosts, for which the versions that a test names are pushed."""
    site = versions.copy(tmp_path / "site", *request.param)
    with shop(tmp_path / "around", fleet_key, site) as made:
        yield made


def released(*versions: str) -> pytest.MarkDecorator:
    """Say which versions a test may release."""
    return pytest.mark.parametrize("opened", [versions], indirect=True, ids=["shop"])


def note(shop: Shop) -> str:
    """Return what the front page says of tea."""
    page = shop.get("/").data.decode()
    return page.partition(">Tea<")[2].partition('class="note">')[2].partition("<")[0]


def layers(shop: Shop, version: str) -> list[str]:
    """Return where the dependencies of a version lie on each host."""
    links = [host.path(f"{ROOT}/releases/{version}/lib").readlink() for host in shop.fleet.hosts]
    assert {str(link.parent) for link in links} == {"../../layers"}
    return [link.name for link in links]


@released("1", "2")
def test_version_2_comes_under_load_with_all_that_belongs_to_it(
    opened: Shop, tmp_path: Path
) -> None:
    shop = opened
    with shop.search.process_list_watched() as in_process_lists:
        shop.castoff("release", "1")
        shop.sell(COFFEE)
        photo = shop.sell(TEA)
        assert b'src="/media/products/tea.jpg"' in shop.get(photo).data
        assert shop.get("/media/products/tea.jpg").data == b"\xff\xd8 of tea"
        assert note(shop) == "in stock"
        kept = shop.redis.keys()
        assert any("template.cache" in key for key in kept)

        plan = shop.castoff("plan", "2")
        assert "migrations to run: shop.0002_stock, shop.0003_forget_availability" in plan
        assert "NO WAY BACK" not in plan
        order = (
            "room, cache-there, share-assets, check, nobody-holds, flip, restart, services, health"
        )
        assert order in plan
        assert "\n    +        add_header X-Content-Type-Options nosniff;" in plan

        with (
            balancer(tmp_path / "balancer", shop.fleet, site=SITE) as url,
            load(url, marks=MARKS, pause=PAUSE_MS) as seen,
        ):
            said = shop.castoff("release", "2")
    assert (seen.failed, seen.mixed, seen.errors) == (0, 0, 0), seen
    assert seen.versions == {"1", "2"}
    assert min(seen.pages, seen.assets) > 50
    assert "Applying shop.0002_stock... OK" in said

    # Nothing that runs on hosts is of version 1.
    processes = shop.json("status")["hosts"]
    assert [set(one["processes"]) for one in processes] == [{"2"}, {"2"}]
    # Both versions run on the same dependencies, of which there is one copy.
    assert layers(shop, "1") == layers(shop, "2")
    # The database: expanded, with what version 1 wrote taken over.
    assert '"availability":"sold out","stock":0}' in shop.rows()
    # The cache: what version 1 put there is gone, for its list would say "in stock".
    assert note(shop) == "ask us"
    # Configuration: each host's nginx reads the new file.
    for host in shop.fleet.hosts:
        site_file = host.path("/etc/nginx/sites-enabled/shop.conf").read_text()
        assert f"X-Host {host.name} " in site_file
        assert shop.get("/health", host).headers["X-Host"] == host.name
    picture = shop.get("/media/products/tea.jpg")
    assert picture.headers["X-Content-Type-Options"] == "nosniff"
    # What is there for the next boot.
    unit = shop.fleet.hosts[1].run(
        "systemctl is-enabled shop; cat /etc/systemd/system/shop.service"
    )
    assert unit.stdout.startswith("enabled\n")
    assert f"ExecStart={ROOT}/current/bin/gunicorn" in unit.stdout

    backups = shop.json("backups")
    assert [(one["step"], one["version"], one["place"]) for one in backups[:2]] == [
        ("media", "1", "web1"),
        ("database", "1", "store"),
    ]
    told = [post.json for post in shop.board.posts]
    assert [(one["outcome"], one["version"], one["from_version"]) for one in told] == [
        ("started", "1", None),
        ("released", "1", None),
        ("started", "2", "1"),
        ("released", "2", "1"),
    ]
    for post in shop.board.posts:
        signature = hmac.digest(HOOK_KEY.encode(), post.body, hashlib.sha256).hex()
        assert post.headers["x-hub-signature-256"] == f"sha256={signature}"
    tags = shop.remote_git("for-each-ref", "--format=%(objecttype) %(refname:short)", "refs/tags")
    assert tags.splitlines() == ["tag release/test/1", "tag release/test/2"]
    assert "Count what is in stock" in shop.remote_git("tag", "-l", "--format=%(contents)")

    report = shop.site.folder / "report.html"
    shop.castoff("report", "--output", str(report))
    shop.json("history")
    assert report.stat().st_size > 10_000
    assert in_process_lists == []
    leaves_no_secret(shop)


@pytest.mark.sweep
@released("1", "2", ILL)
def test_what_failed_after_its_migration_goes_back_and_a_restore_brings_the_same_rows(
    opened: Shop,
) -> None:
    shop = opened
    config = shop.site.folder / "castoff.toml"
    config.write_text(config.read_text().replace("timeout = 30", "timeout = 8"))
    shop.castoff("release", "1")
    shop.sell(COFFEE)
    shop.sell(TEA)
    before = shop.rows()
    photo = shop.fleet.hosts[0].path(f"{ROOT}/shared/app/media/products/tea.jpg")

    said = shop.castoff("release", ILL, code=15)
    assert "Applying shop.0002_stock... OK" in said
    assert "health  FAILED" in said
    # Before the older gunicorn comes back, and once all is over.
    assert "fit-for-this | System check identified no issues" in said
    assert "last-words | " in said
    assert shop.live() == {"1"}
    assert shop.rows() != before
    # Version 1 lives with the expanded database, and is served with its own files.
    assert b"This is version 1." in shop.get("/").data
    assert note(shop) == "in stock"
    assert shop.sell({**COFFEE, "name": "Cocoa"}) == "/products/3/"
    for host in shop.fleet.hosts:
        assert "nosniff" not in host.path("/etc/nginx/sites-enabled/shop.conf").read_text()
    assert [post.json["outcome"] for post in shop.board.posts][-2:] == ["started", "rolled back"]

    photo.write_bytes(b"overwritten")
    made = {one["step"]: one["id"] for one in shop.json("backups") if one["coming"] == ILL}
    for step in ("database", "media"):
        assert "is restored" in shop.castoff("restore", made[step], "--yes")
    assert shop.rows() == before
    assert photo.read_bytes() == b"\xff\xd8 of tea"
    assert b"Cocoa" not in shop.get("/basket/").data
    assert shop.get("/products/2/").status == 200
    assert shop.get("/products/3/").status == 404

    # The same on purpose: version 2 with rows of its own, and back to what was before it.
    shop.castoff("release", "2")
    shop.sell({"name": "Cocoa", "price": "3.10", "stock": "12"})
    back = shop.castoff("rollback", "1", "--to-backup", "latest", "--maintenance", "--yes")
    assert "since then: " in back
    assert shop.live() == {"1"}
    assert shop.rows() == before
    assert shop.get("/").status == 200
    leaves_no_secret(shop)


@pytest.mark.sweep
@released("1", "2", "3")
def test_the_way_back_ends_where_the_contraction_began(opened: Shop, tmp_path: Path) -> None:
    shop = opened
    for version in ("1", "2"):
        shop.castoff("release", version)
    shop.sell({"name": "Tea", "price": "4.50", "stock": "12"})
    assert "NO WAY BACK" not in shop.castoff("plan", "3")
    with (
        balancer(tmp_path / "balancer", shop.fleet, site=SITE) as url,
        load(url, marks=MARKS, pause=PAUSE_MS) as seen,
    ):
        shop.castoff("release", "3")
        assert "availability" not in shop.rows()
        refused = shop.castoff("rollback", "1", code=25)
        assert "shop.0004_drop_availability: SQL ALTER TABLE shop_product DROP" in refused
        assert "0002_stock" not in refused
        assert shop.live() == {"3"}
        shop.castoff("rollback")
        assert shop.live() == {"2"}
        assert note(shop) == "12 in stock"
    assert (seen.failed, seen.mixed, seen.errors) == (0, 0, 0), seen
    assert seen.versions == {"2", "3"}

    shop.castoff("release", "3")
    shop.castoff("rollback", "1", "--migrate-down")
    assert shop.live() == {"1"}
    assert '"availability":""' in shop.rows()
    assert note(shop) == "ask us"
    assert [post.json["outcome"] for post in shop.board.posts].count("released") == 6
    # What releases bring to hosts and what provisioning does are not in each other's way.
    check = shop.site.start("provision", "--check", "--env", "test")
    said, complained = check.communicate(timeout=200)
    assert check.returncode == 0, said + complained


def leaves_no_secret(shop: Shop) -> None:
    """See that secrets are in the app's own file, private to its user, and nowhere else."""
    assert shop.search.found_in("\n".join(shop.said).encode()) == []
    assert shop.search.found_in(b"".join(post.body for post in shop.board.posts)) == []
    for folder in (shop.site.folder, shop.site.home, shop.remote):
        assert shop.search.found_below(folder) == []
    for host in shop.fleet.hosts:
        ask = f"find {ROOT}/.castoff -name .env -printf '%p %m %u\\n'"
        files = [line.split() for line in host.run(ask).stdout.splitlines()]
        assert files
        assert {(mode, owner) for _, mode, owner in files} == {("600", "shop")}
        disk, *others = shop.written(host)
        meant = [disk / path.lstrip("/") for path, _, _ in files]
        assert all(shop.search.found_in(path.read_bytes()) for path in meant)
        assert shop.search.found_below(disk, but=meant) == []
        assert [shop.search.found_below(folder) for folder in others] == [[], []]
