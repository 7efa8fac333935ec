"""`castoff gc` at the same time as pushes, releases and rollbacks, and killed half-way."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from castoff.releaser.retention.lineage import good_versions
from castoff.store import asset_list, channel, condemned, history, keys
from castoff.store.artifacts import fetch_manifest, fetch_table
from castoff.store.backend import Store
from castoff.store.digest import sha256
from castoff.store.errors import ExitCode
from castoff.store.open import open_store
from castoff.store.public.open import open_place
from castoff.store.public.place import Place
from support import built_pages, s3
from support.chromium import serve
from support.site import Site

_VERSIONS = ("1.0", "2.0", "3.0", "4.0")
# Whoever meets the collector at work may be told so, and comes again.
_REFUSALS = {
    ExitCode.STORE,
    ExitCode.UNKNOWN_VERSION,
    ExitCode.NOT_ACTIVATED,
    ExitCode.CORRUPT,
}
# So many rounds are enough to see the collector at work on something.
_MEETING = 12
_GC = ("gc", "--apply", "--keep", "2", "--window", "0s", "--no-hosts")
_HOSTS = """
[environments.production]
transport = "local"
root = "./hosts/{host}"
keep = 2
[[environments.production.hosts]]
name = "web1"
"""


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Return a site of which four versions are built and pushed."""
    return built_pages.build(tmp_path_factory.mktemp("four") / "site", 4)


class Ground:
    """A site, its store and the place of its assets, to be looked into from outside."""

    def __init__(self, site: Site, store: Store, place: Place) -> None:
        self.site = site
        self.store = store
        self.place = place

    def whole(self, version: str) -> None:
        """See that a version is in the store, byte for byte, and all its assets public."""
        manifest, _ = fetch_manifest(self.store, "pages", version)
        table, _ = fetch_table(self.store, manifest)
        key = keys.blob("pages", version, manifest.archive.name)
        assert sha256(self.store.read(key).data) == manifest.archive.sha256
        files = asset_list.fetch(self.store, manifest, table)
        assert files is not None
        there = self.place.listing()
        missing = [file.path for file in files.immutable if file.path not in there]
        assert not missing, f"{version} has lost {missing}"

    def reachable(self) -> set[str]:
        """Return what is live and what a rollback would go to."""
        found = channel.read(self.store, "pages", "production")
        assert found is not None
        runs = history.entries(self.store, "pages", "production", limit=200)
        return {found[0].current, *good_versions(reversed(runs))[-2:]}

    def versions(self) -> set[str]:
        """Return the versions of which anything is in the store."""
        prefix = keys.artifacts("pages")
        return {
            entry.key.removeprefix(prefix).partition("/")[0] for entry in self.store.entries(prefix)
        }

    def assets(self, versions: set[str]) -> set[str]:
        """Return the assets that versions in the store name."""
        found: set[str] = set()
        for version in versions:
            manifest, _ = fetch_manifest(self.store, "pages", version)
            table, _ = fetch_table(self.store, manifest)
            files = asset_list.fetch(self.store, manifest, table)
            assert files is not None
            found |= {file.path for file in files.immutable}
        return found


class Collector(threading.Thread):
    """Runs `castoff gc --apply` again and again; kills each second one at a random moment."""

    def __init__(self, site: Site, grace: int, seed: int) -> None:
        super().__init__()
        self.words = (*_GC, "--grace", f"{grace}s")
        self.over = threading.Event()
        self.codes: list[int] = []
        self.said = ""
        self._site = site
        self._random = random.Random(seed)
        self._took = 1.0

    def run(self) -> None:
        while not self.over.is_set():
            kill = len(self.codes) % 2 == 1
            began = time.monotonic()
            process = self._site.start(*self.words)
            if kill:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(self._took * self._random.uniform(0.4, 1.0))
                process.send_signal(signal.SIGKILL)
            out, err = process.communicate()
            self.said += out + err
            self.codes.append(process.returncode)
            if not kill:
                self._took = time.monotonic() - began


def race(ground: Ground, rounds: int, seed: int) -> None:
    site = ground.site
    began = time.monotonic()
    for version in _VERSIONS:
        assert site.castoff("push", version).code == 0
        released = site.castoff("release", version)
        assert released.code == 0, released.err
    # Longer than any push or release, as the how-to says; they take turns with the collector.
    grace = max(3, round((time.monotonic() - began) / len(_VERSIONS) * 3))
    collector = Collector(site, grace, seed)
    collector.start()
    refused = 0
    try:
        for number in range(rounds):
            # The one that nobody has needed for the longest.
            version = _VERSIONS[number % len(_VERSIONS)]
            refused += bring(site, version)
            for one in ground.reachable():
                ground.whole(one)
            if number % 2:
                back = site.castoff("rollback")
                assert back.code == 0, back.err
                for one in ground.reachable():
                    ground.whole(one)
    finally:
        collector.over.set()
        collector.join()
    assert "Traceback" not in collector.said, collector.said
    assert set(collector.codes) <= {0, int(ExitCode.STORE), -signal.SIGKILL}, collector.said
    settle(ground, grace)
    # Else they have never met.
    assert refused or "removed pages" in collector.said or rounds < _MEETING


def bring(site: Site, version: str) -> int:
    """Push and release a version, however often it is refused; return how often it was."""
    deadline = time.monotonic() + 120
    refused = 0
    while True:
        codes = []
        for words in (("push", version), ("release", version)):
            done = site.castoff(*words)
            codes.append(done.code)
            if done.code:
                assert done.code in _REFUSALS, done.err
                assert time.monotonic() < deadline, done.err
                refused += 1
                break
        if codes == [0, 0]:
            return refused


def settle(ground: Ground, grace: int) -> None:
    """Collect until nothing is left to remove, and see that just what is needed has stayed."""
    words = (*_GC, "--grace", f"{grace}s", "--json")
    deadline = time.monotonic() + 30 * grace
    while True:
        done = ground.site.castoff(*words)
        assert done.code == 0, done.err
        found = done.json
        rest = (found["versions"], found["assets"], found["strays"])
        if not any(rest) and "new in the store" not in found["kept"].values():
            break
        assert time.monotonic() < deadline, found
        time.sleep(grace / 4)
    stays = ground.reachable()
    for version in stays:
        ground.whole(version)
    assert ground.versions() == set(found["kept"]) >= stays
    assert set(ground.place.listing()) == ground.assets(ground.versions())
    document, _ = condemned.read(ground.store, "pages")
    assert not document.swept_versions
    assert not document.swept_files
    again = ground.site.castoff(*words)
    assert again.json["versions"] == again.json["assets"] == []


def on_folders(built: Site, folder: Path, url: str) -> Ground:
    """Return a ground whose store and place are folders."""
    cdn = f'[apps.pages.cdn]\nurls = ["{url}"]\nstore = "file://www"\n'
    site = built_pages.copy(built, folder / "site", cdn + _HOSTS)
    shutil.rmtree(site.folder / "artifacts/store")
    store = open_store("file://artifacts/store", base=site.folder)
    return Ground(site, store, open_place("file://www", base=site.folder))


def on_buckets(built: Site, folder: Path, endpoint: str) -> Ground:
    """Return a ground whose store and place are in a bucket."""
    bucket = s3.make_bucket(endpoint)
    s3.let_everybody_read(endpoint, bucket)
    server = f'endpoint_url = "{endpoint}"\n'
    cdn = (
        f'[apps.pages.cdn]\nurls = ["{endpoint}/{bucket}/www/"]\n'
        f'store = "s3://{bucket}/www"\n{server}'
    )
    store_table = f'[store]\nurl = "s3://{bucket}/releases"\n{server}'
    site = built_pages.copy(built, folder / "site", cdn + store_table + _HOSTS)
    site.variables.update(s3.ENVIRONMENT)
    store = open_store(f"s3://{bucket}/releases", base=folder, endpoint_url=endpoint)
    place = open_place(f"s3://{bucket}/www", base=folder, endpoint_url=endpoint)
    return Ground(site, store, place)


def test_what_is_needed_is_never_lost_and_the_rest_is_found(four: Site, tmp_path: Path) -> None:
    with serve(tmp_path / "site/www") as served:
        race(on_folders(four, tmp_path, served.url), 2, seed=1)


@pytest.mark.sweep
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_needed_is_never_lost_in_folders(four: Site, tmp_path: Path, seed: int) -> None:
    with serve(tmp_path / "site/www") as served:
        race(on_folders(four, tmp_path, served.url), 12, seed=seed)


@pytest.mark.sweep
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.usefixtures("aws_environment")
def test_what_is_needed_is_never_lost_in_buckets(
    four: Site, tmp_path: Path, seaweed_url: str, seed: int
) -> None:
    race(on_buckets(four, tmp_path, seaweed_url), 12, seed=seed)
