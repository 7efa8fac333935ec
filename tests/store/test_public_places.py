"""Public files: every kind of place, and what the public sees of them."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from castoff.store.asset_list import AssetList, PublicFile, parse
from castoff.store.companions import asset_companion
from castoff.store.digest import sha256
from castoff.store.errors import CorruptArtifact, ObjectMissing, UsageError
from castoff.store.file import FileStore
from castoff.store.local_artifact import LocalArtifact, verify_local
from castoff.store.public.answers import wrong_answers
from castoff.store.public.bucket import PublicBucket
from castoff.store.public.folder import PublicFolder
from castoff.store.public.key import url_of
from castoff.store.public.place import FOR_EVER, Headers, Place
from castoff.store.public.publish import publish_files
from support.s3 import make_bucket
from support.written_artifact import hashed, write_public

ASSETS = {"css/app.css": b"a{}", "js/app.js": b"1", "fonts/a b@2x.woff2": b"\0font" * 100}
CSS = Headers("text/css; charset=utf-8", None, FOR_EVER)


@pytest.fixture(params=["folder", "moto", "seaweed"])
def place(request: pytest.FixtureRequest, tmp_path: Path, aws_environment: None) -> Place:
    """Return an empty place of each kind."""
    del aws_environment
    if request.param == "folder":
        return PublicFolder(tmp_path / "public", url="file://public")
    endpoint: str = request.getfixturevalue(f"{request.param}_url")
    return PublicBucket(make_bucket(endpoint), "assets", endpoint_url=endpoint)


@pytest.fixture
def artifact(tmp_path: Path) -> LocalArtifact:
    return write_public(
        tmp_path / "artifacts", "shop", "1", ASSETS, unhashed={"index.html": b"<p>1</p>"}
    )


@pytest.fixture
def folder(tmp_path: Path) -> PublicFolder:
    return PublicFolder(tmp_path / "www", url="file://www")


@pytest.fixture
def base_url(tmp_path: Path) -> Iterator[str]:
    """Serve the folder over HTTP."""
    (tmp_path / "www").mkdir()
    handler = functools.partial(_Quiet, directory=str(tmp_path / "www"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        del format, args


def listed(artifact: LocalArtifact) -> AssetList:
    table = verify_local(artifact)
    return parse(asset_companion(artifact, table)[0].data, table, origin="test")


def test_what_is_put_can_be_listed_read_and_removed(place: Place) -> None:
    place.put("css/app.1.css", b"a{}", CSS)
    place.put("fonts/a b@2x.woff2", b"font", Headers("font/woff2", None, FOR_EVER))
    place.put("css/app.1.css.br", b"br", Headers("text/css; charset=utf-8", "br", FOR_EVER))

    assert {key: one.size for key, one in place.listing().items()} == {
        "css/app.1.css": 3,
        "css/app.1.css.br": 2,
        "fonts/a b@2x.woff2": 4,
    }
    assert set(place.listing("css/")) == {"css/app.1.css", "css/app.1.css.br"}
    assert place.read("css/app.1.css") == b"a{}"
    place.delete(["css/app.1.css", "css/app.1.css.br", "never/there"])
    assert set(place.listing()) == {"fonts/a b@2x.woff2"}
    with pytest.raises(ObjectMissing):
        place.read("css/app.1.css")


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../a", "a//b", "a/./b", "a\nb", "a\\b"])
def test_a_name_that_leads_elsewhere_is_refused(place: Place, key: str) -> None:
    with pytest.raises(UsageError):
        place.put(key, b"", CSS)


@pytest.mark.parametrize("server", ["moto", "seaweed"])
def test_a_bucket_serves_files_with_their_headers(
    request: pytest.FixtureRequest, aws_environment: None, server: str
) -> None:
    del aws_environment
    endpoint: str = request.getfixturevalue(f"{server}_url")
    bucket = make_bucket(endpoint)
    place = PublicBucket(bucket, "", endpoint_url=endpoint)
    place.put("a.css.br", b"br", Headers("text/css; charset=utf-8", "br", FOR_EVER))
    answer = place._client.get_object(Bucket=bucket, Key="a.css.br")
    assert answer["ContentType"] == "text/css; charset=utf-8"
    assert answer["ContentEncoding"] == "br"
    assert answer["CacheControl"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("server", ["moto", "seaweed"])
def test_a_bucket_gives_leave_to_other_origins_and_keeps_the_rules_it_had(
    request: pytest.FixtureRequest, aws_environment: None, server: str
) -> None:
    del aws_environment
    endpoint: str = request.getfixturevalue(f"{server}_url")
    bucket = make_bucket(endpoint)
    place = PublicBucket(bucket, "", endpoint_url=endpoint)
    assert place.allow_origins(["https://a.example"])
    assert place.allow_origins(["https://a.example", "https://b.example"])
    assert place.allow_origins(["https://b.example"])
    rules = place._client.get_bucket_cors(Bucket=bucket)["CORSRules"]
    assert [rule["AllowedOrigins"] for rule in rules] == [
        ["https://a.example"],
        ["https://b.example"],
    ]


def test_a_push_sends_what_is_missing_and_nothing_that_keeps_its_name(
    place: Place, artifact: LocalArtifact, file_store: FileStore, tmp_path: Path
) -> None:
    done = publish_files(file_store, place, artifact)
    assert (done.sent, done.total) == (3, 3)
    assert set(place.listing()) == {hashed(name, data) for name, data in ASSETS.items()}
    assert publish_files(file_store, place, artifact).sent == 0

    other = write_public(tmp_path / "artifacts", "shop", "2", {**ASSETS, "js/app.js": b"2"})
    assert publish_files(file_store, place, other).sent == 1
    assert place.read(hashed("js/app.js", b"2")) == b"2"


def test_an_artifact_without_assets_has_nothing_public(
    folder: PublicFolder, file_store: FileStore, tmp_path: Path
) -> None:
    bare = write_public(tmp_path / "artifacts", "shop", "1", {})
    assert publish_files(file_store, folder, bare).total == 0
    assert folder.listing() == {}


def test_every_url_that_does_not_answer_as_it_should_is_named(
    folder: PublicFolder, artifact: LocalArtifact, file_store: FileStore, base_url: str
) -> None:
    publish_files(file_store, folder, artifact)
    files = listed(artifact).immutable
    assert wrong_answers([base_url], files) == []

    by_name = {file.path.split(".")[0]: file for file in files}
    css, js, font = by_name["css/app"], by_name["js/app"], by_name["fonts/a b@2x"]
    folder.put(css.path, b"b{}", CSS)
    folder.put(js.path, b"1" * 5, CSS)
    folder.delete([font.path])
    found = {one.url: one.why for one in wrong_answers([base_url], files)}
    assert found == {
        url_of(base_url, css.path): "answers with the wrong bytes (other content)",
        url_of(base_url, js.path): "answers with the wrong bytes (5 bytes, not 1)",
        url_of(base_url, font.path): "answers with status 404",
    }
    assert "%20" in url_of(base_url, font.path)


def test_fonts_of_another_origin_want_leave(
    folder: PublicFolder, artifact: LocalArtifact, file_store: FileStore, base_url: str
) -> None:
    publish_files(file_store, folder, artifact)
    wrong = wrong_answers([base_url], listed(artifact).immutable, origins=["*"])
    assert len(wrong) == 3
    assert "Access-Control-Allow-Origin" in wrong[0].why


def test_a_file_served_as_what_browsers_do_not_run_is_wrong(
    folder: PublicFolder, base_url: str
) -> None:
    folder.put("plain.unknown", b"1", CSS)
    file = PublicFile("plain.unknown", sha256(b"1"), 1, "text/css", None, immutable=True)
    (wrong,) = wrong_answers([base_url], [file])
    assert wrong.why == "is served as application/octet-stream, not as text/css"


def test_a_server_that_is_not_there_is_named(artifact: LocalArtifact) -> None:
    found = wrong_answers(["http://127.0.0.1:9/"], listed(artifact).immutable[:1])
    assert len(found) == 1
    assert "does not answer" in found[0].why


def test_a_list_that_names_what_the_release_lacks_is_refused(artifact: LocalArtifact) -> None:
    table = verify_local(artifact)
    data = asset_companion(artifact, table)[0].data.replace(b"css/app.", b"css/appp.")
    with pytest.raises(CorruptArtifact, match="which the release does not hold"):
        parse(data, table, origin="test")
