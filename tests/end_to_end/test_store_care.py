"""`castoff gc`, `mirror` and `policy`, as a user meets them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from support.site import Site

CONFIG = """\
[apps.pages]

[environments.production]
transport = "local"
root = "./hosts/{host}"
keep = 2
[[environments.production.hosts]]
name = "web1"
[[environments.production.hosts]]
name = "web2"
"""
# Nothing listens on port 9.
SILENT = """
[environments.staging]
[[environments.staging.hosts]]
name = "web9"
address = "127.0.0.1"
port = 9
"""
VERSIONS = ("1.0", "2.0", "3.0", "4.0")


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a site whose four versions were released one after the other."""
    site = Site(tmp_path_factory.mktemp("care") / "site")
    site.write({"castoff.toml": CONFIG, ".gitignore": "/artifacts/\n/hosts/\n"})
    for version in VERSIONS:
        site.publish(version)
        assert site.castoff("release", version).code == 0
    return site


@pytest.fixture
def site(released: Site, tmp_path: Path) -> Site:
    """Return a copy of that site."""
    copy = Site(tmp_path / "site")
    shutil.rmtree(copy.folder)
    shutil.copytree(released.folder, copy.folder, symlinks=True)
    return copy


def listed(site: Site) -> set[str]:
    return {one["version"] for one in site.castoff("versions", "--json").json}


def test_what_no_environment_wants_goes_at_the_second_collection(site: Site) -> None:
    words = ("gc", "--keep", "2", "--window", "0s", "--grace", "0s")
    dry = site.castoff(*words)
    assert dry.code == 0, dry.err
    assert "pages 1.0" in dry.out
    assert "nothing was changed: castoff gc --apply does it" in dry.out
    assert site.castoff(*words, "--apply").code == 0
    assert listed(site) == set(VERSIONS)
    done = site.castoff(*words, "--apply", "--json").json
    assert [one["name"] for one in done["versions"] if one["removed"]] == ["1.0", "2.0"]
    assert listed(site) == {"3.0", "4.0"}
    back = site.castoff("rollback")
    assert back.code == 0, back.err
    gone = site.castoff("release", "1.0")
    assert gone.code == 7, gone.err
    assert site.castoff("push", "1.0").code == 0
    assert site.castoff("release", "1.0").code == 0


def test_nothing_goes_that_is_new_recent_pinned_or_on_a_host(site: Site) -> None:
    kept = site.castoff("gc", "--json").json["kept"]
    assert set(kept) == set(VERSIONS)
    assert site.castoff("pin", "1.0").code == 0
    words = ("gc", "--keep", "2", "--window", "0s", "--grace", "0s", "--json")
    kept = site.castoff(*words).json["kept"]
    assert kept["1.0"] == "pinned in production"
    assert kept["4.0"] == "live in production"
    assert "2.0" not in kept


def test_a_host_that_does_not_say_what_it_holds_stops_the_collector(site: Site) -> None:
    with (site.folder / "castoff.toml").open("a") as file:
        file.write(SILENT)
    stopped = site.castoff("gc")
    assert stopped.code == 2, stopped.out
    assert "web9 of staging does not say what it holds" in stopped.err
    assert "--no-hosts" in stopped.err
    assert site.castoff("gc", "--no-hosts").code == 0


@pytest.mark.parametrize("age", ["", "5", "5x", "-1h"])
def test_an_age_without_a_unit_is_refused(site: Site, age: str) -> None:
    refused = site.castoff("gc", f"--grace={age}")
    assert refused.code == 2
    assert "as in 12h" in refused.err


def test_a_mirror_holds_the_same_bytes_and_can_be_released_from(site: Site, tmp_path: Path) -> None:
    disk = (tmp_path / "disk").as_uri()
    first = site.castoff("mirror", "--to", disk, "1.0")
    assert first.code == 0, first.err
    rest = site.castoff("mirror", "--to", disk, "--json").json
    assert rest["copied"] == ["2.0", "3.0", "4.0"]
    assert site.castoff("mirror", "--to", disk, "1.0", "--json").json["already_there"] == ["1.0"]
    for version in VERSIONS:
        here = site.folder / "artifacts/store/pages/artifacts" / version
        there = tmp_path / "disk/pages/artifacts" / version
        assert {p.name: p.read_bytes() for p in here.iterdir() if p.is_file()} == {
            p.name: p.read_bytes() for p in there.iterdir() if p.is_file()
        }
    shutil.rmtree(site.folder / "artifacts/store/pages/artifacts/2.0")
    assert site.castoff("release", "2.0").code == 7
    assert site.castoff("mirror", "--from", disk, "2.0").code == 0
    assert site.castoff("release", "2.0").code == 0


def test_a_damaged_version_is_not_mirrored(site: Site, tmp_path: Path) -> None:
    (archive,) = (site.folder / "artifacts/store/pages/artifacts/2.0").glob("archive.*")
    data = bytearray(archive.read_bytes())
    data[100] ^= 1
    archive.chmod(0o644)
    archive.write_bytes(data)
    disk = tmp_path / "disk"
    refused = site.castoff("mirror", "--to", disk.as_uri(), "2.0")
    assert refused.code == 17, refused.err
    assert "does not match its digest" in refused.err
    assert not list(disk.rglob("manifest.json"))


def test_a_mirror_names_one_other_store(site: Site) -> None:
    both = site.castoff("mirror", "--to", "file:///a", "--from", "file:///b")
    assert both.code == 2
    assert "either --to URL or --from URL" in both.err
    own = site.castoff("mirror", "--to", (site.folder / "artifacts/store").as_uri())
    assert own.code == 2
    assert "the very store" in own.err


def test_a_policy_names_the_bucket_and_the_app(site: Site) -> None:
    refused = site.castoff("policy", "builder")
    assert refused.code == 2
    assert "is no bucket" in refused.err
    text = (site.folder / "castoff.toml").read_text()
    (site.folder / "castoff.toml").write_text(f'{text}\n[store]\nurl = "s3://bucket/some"\n')
    document = json.loads(site.castoff("policy", "releaser").out)
    statements = {one["Sid"]: one for one in document["Statement"]}
    assert statements["Read"]["Resource"] == ["arn:aws:s3:::bucket/some/pages/*"]
    assert "s3:DeleteObject" not in statements["Record"]["Action"]
    unknown = site.castoff("policy", "owner")
    assert unknown.code == 2
    assert "builder, releaser, host, collector" in unknown.err
