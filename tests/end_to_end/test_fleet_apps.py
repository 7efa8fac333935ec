"""Two apps of one repository, an environment that inherits, and another user by sudo."""

from __future__ import annotations

import shutil

import pytest

from support.fleet import Fleet
from support.site import Site

pytestmark = pytest.mark.fleet

CONFIG = """
[apps.shop]
path = "shop"
[apps.blog]
path = "blog"

[environments.staging]
known_hosts = "{known_hosts}"
{staging}
[[environments.staging.steps]]
name = "mark"
moment = "activate"
command = 'echo "$CASTOFF_APP $CASTOFF_VERSION" >> "$CASTOFF_SHARED/log"'

[[environments.staging.steps]]
name = "shop-only"
moment = "activate"
apps = ["shop"]
command = 'echo shop-only >> "$CASTOFF_SHARED/log"'

[environments.production]
inherits = "staging"
{production}
[[environments.production.steps]]
name = "mark"
moment = "activate"
command = 'umask >> "$CASTOFF_SHARED/log"; whoami >> "$CASTOFF_SHARED/log"'
"""


def table(fleet: Fleet, number: int, environment: str, more: str = "") -> str:
    return fleet.toml_hosts(environment, extra=more).split("\n\n")[number]


def configure(site: Site, fleet: Fleet, *, more: str = "", user: str = "root") -> None:
    production = table(fleet, 1, "production", more).replace('"root"', f'"{user}"')
    text = CONFIG.format(
        known_hosts=fleet.known_hosts,
        staging=table(fleet, 0, "staging"),
        production=production,
    )
    site.write(
        {
            "castoff.toml": text,
            "shop/requirements.txt": "",
            "shop/page.txt": "a shop\n",
            "blog/requirements.txt": "",
            "blog/page.txt": "a blog\n",
        }
    )
    site.commit("two apps")


def put_live(site: Site, app: str, version: str, environment: str) -> None:
    for words in (
        ("build", "--version", version),
        ("push", version),
        ("release", version, "--env", environment),
    ):
        outcome = site.castoff(*words, "--app", app)
        assert outcome.code == 0, outcome.err


def test_two_apps_of_one_repository_lie_side_by_side_on_a_host(site: Site, serving: Fleet) -> None:
    configure(site, serving)
    put_live(site, "shop", "1.0", "staging")
    put_live(site, "blog", "7", "staging")

    host = serving.hosts[0]
    assert host.read("/srv/shop/current/app/page.txt") == "a shop\n"
    assert host.read("/srv/blog/current/app/page.txt") == "a blog\n"
    assert host.read("/srv/shop/shared/log") == "shop 1.0\nshop-only\n"
    assert host.read("/srv/blog/shared/log") == "blog 7\n"
    assert (
        site.castoff("status", "--env", "staging", "--app", "blog", "--json").json["current"] == "7"
    )
    which = site.castoff("status", "--env", "staging")
    assert which.code == 2
    assert "shop, blog" in which.err


def test_an_environment_inherits_steps_and_its_agent_is_another_user(
    site: Site, serving: Fleet
) -> None:
    if shutil.which("sudo") is None:
        pytest.skip("sudo is not installed")
    host = serving.hosts[1]
    host.add_user("app")
    host.add_user("deploy", password="a password", sudo="ALL=(app) ALL")
    host.run("install -d -o app /srv/shop")
    more = 'sudo = "app"\nsudo_password = { env = "SUDO_WORD" }\numask = "027"'
    configure(site, serving, more=more, user="deploy")
    site.variables["SUDO_WORD"] = "a password"

    put_live(site, "shop", "1.0", "production")

    assert host.read("/srv/shop/shared/log") == "0027\napp\nshop-only\n"
    assert host.run("stat -c '%U %a' /srv/shop/releases/1.0 /srv/shop/shared/log").stdout == (
        "app 755\napp 640\n"
    )
    assert "a password" not in host.read("/srv/shop/.castoff/journal.jsonl")
