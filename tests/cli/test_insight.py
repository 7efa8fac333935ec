"""`inspect`, `diff` and `verify`, on artifacts by path, in artifacts/ and in the store."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support import s3
from support.archives import Content
from support.site import PAGES, Site
from support.trees import write_tree

WHEEL: dict[str, Content] = {
    "app/manage.py": b"1" * 5_000,
    "lib/PyYAML-6.0.dist-info/RECORD": b"_yaml.so,,\nPyYAML-6.0.dist-info/RECORD,,\n",
    "lib/_yaml.so": b"1" * 9_000,
}


def test_inspect_shows_what_a_version_is(two_versions: Site) -> None:
    shown = two_versions.castoff("inspect", "1.0")

    assert shown.code == 0, shown.err
    commit = two_versions.git("rev-list", "--max-count=1", "HEAD~1").strip()
    assert "shop 1.0 (tarball)" in shown.out
    assert commit in shown.out
    assert "target       any machine\n" in shown.out
    assert "signed by    nobody" in shown.out
    assert "app/" in shown.out


def test_inspect_counts_by_package_and_lists_every_file_when_asked(
    tmp_path: Path, two_versions: Site
) -> None:
    artifact = write_tree(tmp_path, "3.0", WHEEL, dependencies={"pyyaml": "6.0"}, raw_member=10**6)

    short = two_versions.castoff("inspect", str(artifact.archive), "--json").json
    long = two_versions.castoff("inspect", str(artifact.archive), "--json", "--files").json

    assert short["files"] == 3
    assert short["manifest"]["version"] == "3.0"
    assert [(p["name"], p["version"], p["files"]) for p in short["packages"]] == [
        ("pyyaml", "6.0", 2),
        ("app/", "", 1),
    ]
    assert short["biggest_files"][0]["path"] == "lib/_yaml.so"
    assert [file["path"] for file in long["all_files"]] == sorted(WHEEL)


def test_inspect_lists_assets_by_name_with_the_sizes_of_their_copies(
    tmp_path: Path, two_versions: Site
) -> None:
    files: dict[str, Content] = {
        "static/assets.json": b"{}",
        "static/css/app.0123456789abcdef.css": b"1" * 2048,
        "static/css/app.0123456789abcdef.css.br": b"1" * 1024,
        "static/data.json.gz": b"1",
    }
    artifact = write_tree(tmp_path, "3.0", files)

    shown = two_versions.castoff("inspect", str(artifact.archive)).out
    told = two_versions.castoff("inspect", str(artifact.archive), "--json").json["assets"]

    assert "2.0 KiB  1.0 KiB  -   -    static/css/app.css" in shown
    assert told == [
        {
            "name": "static/css/app.css",
            "path": "static/css/app.0123456789abcdef.css",
            "size": 2048,
            "copies": {"br": 1024},
        },
        {"name": "static/data.json.gz", "path": "static/data.json.gz", "size": 1, "copies": {}},
    ]


def test_a_path_needs_no_configuration(tmp_path: Path) -> None:
    artifact = write_tree(tmp_path / "elsewhere", "3.0", WHEEL)
    site = Site(tmp_path / "site")

    for name in (artifact.archive, artifact.table, artifact.archive.parent / "shop-3.0.pyz"):
        assert site.castoff("inspect", str(name)).code == 0
    assert site.castoff("verify", str(artifact.archive)).code == 0


def test_diff_tells_changes_and_what_a_host_must_fetch(two_versions: Site) -> None:
    changes = two_versions.castoff("diff", "1.0", "1.1", "--json").json

    assert {change["path"]: change["what"] for change in changes["files"]} == {
        "app/new.txt": "added",
        "app/pages/00.txt": "removed",
        "app/pages/01.txt": "content",
        "castoff.json": "content",
    }
    assert changes["dependencies"] == []
    assert 0 < changes["fetch"]["size"] <= changes["fetch"]["archive_size"]
    assert changes["fetch"]["ranges"] == 1


def test_diff_for_a_person_ends_in_the_bytes_to_fetch(two_versions: Site) -> None:
    shown = two_versions.castoff("diff", "1.0", "1.1")

    assert "4 files differ; the tree shrinks by" in shown.out
    assert "A host that has 1.0 lacks" in shown.out
    same = two_versions.castoff("diff", "1.0", "1.0")
    assert "the trees are the same" in same.out


@pytest.mark.parametrize("words", [("1.0",), ("1.0", "--store"), ("artifacts/shop-1.1.tar.gz",)])
def test_verify_says_what_it_checked(two_versions: Site, words: tuple[str, ...]) -> None:
    checked = two_versions.castoff("verify", *words, "--json").json

    assert checked["files"] >= PAGES
    assert checked["signed"] is False
    store = "file://artifacts/store"
    assert (checked["origin"] == store) == ("--store" in words)


def test_a_version_in_a_bucket_is_looked_into_and_verified(
    tmp_path: Path, seaweed_url: str
) -> None:
    site = Site(tmp_path / "site", variables=s3.ENVIRONMENT)
    store = f's3://{s3.make_bucket(seaweed_url)}"\nendpoint_url = "{seaweed_url}'
    site.write(
        {
            "castoff.toml": f'[apps.shop]\n[store]\nurl = "{store}"\nregion = "us-east-1"\n',
            ".gitignore": "/artifacts/\n",
        }
    )
    site.publish("1.0")
    shutil.rmtree(site.folder / "artifacts")

    assert site.castoff("inspect", "1.0", "--json").json["packages"][0]["name"] == "app/"
    checked = site.castoff("verify", "1.0", "--json").json

    assert checked["files"] >= PAGES
    assert checked["origin"].startswith("s3://")


def test_verify_names_the_file_that_is_damaged(tmp_path: Path, two_versions: Site) -> None:
    for file in (two_versions.folder / "artifacts").glob("shop-1.0.*"):
        shutil.copy(file, tmp_path)
    archive = tmp_path / "shop-1.0.tar.gz"
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 1
    archive.write_bytes(data)

    found = two_versions.castoff("verify", str(archive))

    assert found.code == 17
    assert str(archive) in found.err
    assert "does not match its digest" in found.err
    assert "'app/pages/" in found.err


def test_verify_of_an_unsigned_version_fails_where_a_signature_is_wanted(
    two_versions: Site,
) -> None:
    found = two_versions.castoff("verify", "1.0", "--signed")

    assert found.code == 19
    assert "shop 1.0 is not signed" in found.err


@pytest.mark.parametrize(
    ("word", "code", "said"),
    [
        ("2.0", 7, "shop 2.0 is not in file://artifacts/store"),
        ("nowhere/shop-2.0.tar.gz", 7, "has no manifest beside it"),
        ("castoff.toml", 2, "is not called like a file of an artifact"),
        ("-x/../y", 2, ""),
    ],
)
def test_what_is_not_there_is_said_plainly(
    two_versions: Site, word: str, code: int, said: str
) -> None:
    found = two_versions.castoff("inspect", "--", word)

    assert found.code == code
    assert said in found.err
