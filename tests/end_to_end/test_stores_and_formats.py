"""The whole line on every kind of store and in both formats."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from support import s3
from support.fleet import Fleet
from support.forward import forwarded
from support.pages import live, write_config
from support.site import Site

pytestmark = pytest.mark.fleet

PACKAGE = {
    "pyproject.toml": """
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = "pages"
version = "1"
dependencies = []

[project.scripts]
pages = "pages:main"

[tool.setuptools]
packages = ["pages"]
""",
    "requirements.txt": "",
}

STEPS = """
[[environments.production.steps]]
name = "ask"
moment = "after_activate"
command = 'test "$("$CASTOFF_ROOT/current/bin/pages")" = "pages $CASTOFF_VERSION"'
"""


def publish(site: Site, version: str) -> None:
    """Build and push a version of a package that says its version."""
    site.write({"pages/__init__.py": f'def main():\n    print("pages {version}")\n'})
    site.commit(version)
    for words in (("build", "--version", version), ("push", version)):
        outcome = site.castoff(*words)
        assert outcome.code == 0, outcome.err


def round_trip(site: Site, fleet: Fleet, *, format: str, store: str = "") -> None:  # noqa: A002
    """Release two versions and roll back, the app itself saying which version runs."""
    write_config(site, fleet, store=store, steps=STEPS)
    path = site.folder / "castoff.toml"
    path.write_text(path.read_text().replace("build = {", f'build = {{ format = "{format}",'))
    site.write(PACKAGE)
    for version in ("1.0", "2.0"):
        publish(site, version)
        outcome = site.castoff("release", version)
        assert outcome.code == 0, outcome.err
        assert set(live(fleet).values()) == {version}
    back = site.castoff("rollback")
    assert back.code == 0, back.err
    for host in fleet.hosts:
        said = host.run(f"cd / && {host.root}/pages/current/bin/pages").stdout
        assert said == "pages 1.0\n"


# A folder with tarballs in it is what most of the other tests here release from.
@pytest.mark.parametrize("format", [pytest.param("tarball", marks=pytest.mark.sweep), "zipapp"])
def test_a_folder_as_store(site: Site, fleet: Fleet, format: str) -> None:  # noqa: A002
    round_trip(site, fleet, format=format)


@pytest.mark.parametrize(
    ("server", "format"),
    [
        ("seaweed_url", "tarball"),
        pytest.param("seaweed_url", "zipapp", marks=pytest.mark.sweep),
        pytest.param("moto_url", "tarball", marks=pytest.mark.sweep),
        ("moto_url", "zipapp"),
    ],
)
def test_a_bucket_that_hosts_reach_by_url(
    site: Site,
    fleet: Fleet,
    request: pytest.FixtureRequest,
    server: str,
    format: str,  # noqa: A002
) -> None:
    if not fleet.isolated:
        pytest.skip("hosts need a network of their own")
    endpoint: str = request.getfixturevalue(server)
    bucket = s3.make_bucket(endpoint)
    with forwarded(fleet.gateway, urlsplit(endpoint).port or 80) as port:
        site.variables.update(s3.ENVIRONMENT)
        store = f'[store]\nurl = "s3://{bucket}/releases"\nendpoint_url = "http://{fleet.gateway}:{port}"'
        round_trip(site, fleet, format=format, store=store)
    for host in fleet.hosts:
        journal = host.read(f"{host.root}/pages/.castoff/journal.jsonl")
        assert "X-Amz" not in journal


def test_a_bucket_that_only_the_controller_reaches(
    site: Site, fleet: Fleet, seaweed_url: str
) -> None:
    if not fleet.isolated:
        pytest.skip("hosts need a network of their own")
    # 127.0.0.1 is another place on each host: none of them finds the store there.
    site.variables.update(s3.ENVIRONMENT)
    bucket = s3.make_bucket(seaweed_url)
    store = f'[store]\nurl = "s3://{bucket}"\nendpoint_url = "{seaweed_url}"'
    round_trip(site, fleet, format="tarball", store=store)
