"""The shop of `examples/`: built in its versions, on real hosts with all that it needs around it.

Each host has a root of its own over this machine's, with Debian's nginx; PostgreSQL, Redis and
whoever is notified are on this machine. The hosts are made ready by `castoff provision`, and
`castoff.toml` is the example's own: what is added is an environment that inherits its production
and says where things are.
"""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import urllib3

from support import fleet_namespaces, postgres
from support.bare_hosts import BareHost, bare_hosts
from support.fleet import Fleet, FleetHost
from support.postgres import Postgres, postgres_server
from support.provisioning import hosts_python
from support.receiver import Receiver, receiver
from support.redis_server import PASSWORD as REDIS_PASSWORD
from support.redis_server import Redis, redis_server
from support.secret_search import SecretSearch
from support.site import Site

EXAMPLE = Path(__file__).parents[2] / "examples" / "shop"
SITE = "www.example.com"
# Both would be spelled otherwise in a URL or in JSON.
SECRET_KEY = 'k7"w2%r9-4d6f8h1j3l5n7p9r2t4v6x8z1b3'
HOOK_KEY = "hook-8k2m4p6r9t1w3y5"
ROOT = "/srv/shop"
_NEEDED = ("nginx", "wrk", "redis-server", "redis-cli", "sudo", "pg_dump", "systemd-analyze", "nft")
_SUBJECTS = {"2": "feat: Count what is in stock", "3": "feat: Say what the list is"}
# Version 2, but that its health check never says so.
ILL = "2-ill"

_ENVIRONMENT = """

[environments.test]
inherits = "production"
key = {key}
known_hosts = {known_hosts}

[environments.test.env]
REDIS_HOST = "{redis_host}"
REDIS_PORT = "{redis_port}"

[environments.test.secrets]
DATABASE_URL = {{ env = "SHOP_DATABASE_URL" }}
REDIS_PASSWORD = {{ file = "../vault/redis" }}
SECRET_KEY = {{ command = "cat ../vault/secret-key" }}
HOOK_URL = {{ env = "SHOP_HOOK_URL" }}
HOOK_KEY = {{ file = "../vault/hook-key" }}

[environments.test.provision]
packages = ["nginx-light"]

{hosts}
"""


def missing() -> str:
    """Return why the shop cannot be released here; empty if it can."""
    if reason := fleet_namespaces.missing():
        return f"hosts need roots of their own: {reason}"
    absent = [name for name in _NEEDED if shutil.which(name) is None]
    if not postgres.available():
        absent.append("PostgreSQL's server")
    return f"not installed: {', '.join(absent)}" if absent else ""


class Versions:
    """The shop's repository, whose versions are committed, built and pushed as they are needed."""

    def __init__(self, folder: Path) -> None:
        self._site = Site(folder)
        self._built: set[str] = set()
        shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
        config = folder / "castoff.toml"
        config.write_text(config.read_text().replace('"3.11"', f'"{hosts_python()}"'))
        self._site.commit("Open the shop")

    def copy(self, folder: Path, *versions: str) -> Site:
        """Return a copy of it, as of the last of some versions, all of which are pushed."""
        for version in versions:
            self._build(version)
        site = Site(folder)
        shutil.rmtree(folder)
        shutil.copytree(self._site.folder, folder, symlinks=True)
        return site

    def _build(self, version: str) -> None:
        if version in self._built:
            return
        self._built.add(version)
        if version in _SUBJECTS:
            self._site.git("apply", "--index", str(EXAMPLE / f"version-{version}.patch"))
            self._site.commit(_SUBJECTS[version])
        if version == ILL:
            health = self._site.folder / "shop" / "health.py"
            text = health.read_text()
            health.write_text(text.replace("200 if all(parts.values()) else 503", "500"))
            assert health.read_text() != text
            self._site.commit("feat: Be ill")
        for words in (("build", "--version", version), ("push", version)):
            done = self._site.castoff(*words, timeout=300)
            assert done.code == 0, done.err
        if version == ILL:
            self._site.git("revert", "--no-edit", "HEAD")


@dataclass
class Shop:
    """A shop on two hosts, and what is around it.

    Attributes:
        site: The repository, with the environment `test`.
        remote: What the repository was cloned from, as it were.
        board: Whom runs are told to.
        said: All that commands have said.
    """

    site: Site
    fleet: Fleet
    postgres: Postgres
    database: str
    redis: Redis
    board: Receiver
    remote: Path
    said: list[str] = field(default_factory=list)

    @functools.cached_property
    def search(self) -> SecretSearch:
        """Return a search for the secrets of its environment, and for the passwords in them."""
        secrets = {
            name: self.site.variables[f"SHOP_{name}"] for name in ("DATABASE_URL", "HOOK_URL")
        }
        secrets |= {
            "DATABASE_PASSWORD": postgres.PASSWORD,
            "REDIS_PASSWORD": REDIS_PASSWORD,
            "SECRET_KEY": SECRET_KEY,
            "HOOK_KEY": HOOK_KEY,
        }
        pieces = {"DATABASE_URL": quote(postgres.PASSWORD, safe=""), "SECRET_KEY": "4d6f8h1j3l5n"}
        return SecretSearch(secrets, pieces)

    def castoff(self, *words: str, code: int = 0) -> str:
        """Run a command for the environment `test`; return what it says, after its exit code."""
        done = self.site.castoff(*words, "--env", "test", timeout=200)
        self.said += [done.out, done.err]
        assert done.code == code, done.err + done.out
        return done.out + done.err

    def json(self, *words: str) -> Any:
        """Return the JSON that a command prints."""
        done = self.site.castoff(*words, "--env", "test", "--json", timeout=200)
        self.said += [done.out, done.err]
        assert done.code == 0, done.err
        return done.json

    def rows(self) -> str:
        """Return all products as the database has them, columns named."""
        query = "SELECT row_to_json(p) FROM shop_product p ORDER BY id"
        return self.postgres.sql(query, self.database)

    def remote_git(self, *words: str) -> str:
        """Return what git prints in the remote repository."""
        return subprocess.run(
            ["git", *words], cwd=self.remote, check=True, capture_output=True, text=True
        ).stdout

    def written(self, host: FleetHost) -> list[Path]:
        """Return the folders that hold all that was written on a host since it was switched on."""
        assert isinstance(host, BareHost)
        return [host.upper, host.path("/run"), host.path("/tmp")]  # noqa: S108 # the host's own

    def live(self) -> set[str]:
        """Return the versions that hosts link to."""
        return {host.path(f"{ROOT}/current").readlink().name for host in self.fleet.hosts}

    def get(self, path: str, host: FleetHost | None = None) -> urllib3.BaseHTTPResponse:
        """Return what a host answers, the first if none is named."""
        address = (host or self.fleet.hosts[0]).address
        return urllib3.request("GET", f"http://{address}{path}", headers={"Host": SITE})

    def sell(self, fields: Mapping[str, str | tuple[str, bytes]]) -> str:
        """Fill in the form for a new product on the first host; return the product's address."""
        form = self.get("/products/new/")
        cookie = form.headers["Set-Cookie"].partition(";")[0]
        (token,) = (
            line.partition('value="')[2].partition('"')[0]
            for line in form.data.decode().splitlines()
            if "csrfmiddlewaretoken" in line
        )
        answer = urllib3.request(
            "POST",
            f"http://{self.fleet.hosts[0].address}/products/new/",
            headers={"Host": SITE, "Cookie": cookie},
            fields={"csrfmiddlewaretoken": token, **fields},
            redirect=False,
        )
        assert answer.status == 302, answer.data.decode()
        return answer.headers["Location"]


@contextlib.contextmanager
def shop(folder: Path, key: Path, site: Site) -> Iterator[Shop]:
    """Make two bare hosts ready, start what the shop needs, and yield it; nothing is released.

    Args:
        folder: Empty, and becomes its own.
        key: Logs in to the hosts.
        site: The repository.
    """
    with contextlib.ExitStack() as stack:
        fleet = stack.enter_context(bare_hosts(_made(folder / "fleet"), ["web1", "web2"], key))
        database = stack.enter_context(postgres_server(fleet.gateway))
        redis = stack.enter_context(redis_server(_made(folder / "redis"), fleet.gateway))
        board = stack.enter_context(receiver())
        name = database.fresh()["PGDATABASE"]
        login = f"{name}:{quote(postgres.PASSWORD, safe='')}"
        url = f"postgresql://{login}@{database.address}:{database.port}/{name}"
        site.variables |= {
            "SHOP_DATABASE_URL": url,
            "SHOP_HOOK_URL": f"{board.url}/releases/3k5m7p9r",
        }
        vault = _made(site.folder.parent / "vault")
        for file, secret in (
            ("redis", REDIS_PASSWORD),
            ("secret-key", SECRET_KEY),
            ("hook-key", HOOK_KEY),
        ):
            (vault / file).write_text(f"{secret}\n", encoding="utf-8")
        remote = folder / "remote.git"
        subprocess.run(["git", "init", "--quiet", "--bare", str(remote)], check=True)
        site.git("remote", "add", "origin", str(remote))
        for host in fleet.hosts:
            _add_admin(host)
        _add_environment(site, fleet, redis)
        made = Shop(site, fleet, database, name, redis, board, remote)
        ready = site.start("provision", "--env", "test")
        said, complained = ready.communicate(timeout=200)
        assert ready.returncode == 0, said + complained
        yield made


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _add_admin(host: FleetHost) -> None:
    """Make the user who is there on a bare Debian of a cloud."""
    host.run(
        "useradd --create-home --shell /bin/sh --password '*' admin && "
        "cp -r /root/.ssh /home/admin/.ssh && chown -R admin: /home/admin/.ssh && "
        "echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin"
    )


def _add_environment(site: Site, fleet: Fleet, redis: Redis) -> None:
    hosts = "\n".join(
        f'[[environments.test.hosts]]\nname = "{host.name}"\naddress = "{host.address}"\n'
        f"roles = {json.dumps(roles)}\n"
        for host, roles in zip(fleet.hosts, (["web", "leader"], ["web"]), strict=True)
    )
    config = site.folder / "castoff.toml"
    config.write_text(
        config.read_text()
        + _ENVIRONMENT.format(
            key=json.dumps(str(fleet.key_path)),
            known_hosts=json.dumps(str(fleet.known_hosts)),
            redis_host=redis.address,
            redis_port=redis.port,
            hosts=hosts,
        )
    )
