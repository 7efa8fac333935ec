"""A fleet of six hosts between two versions, for trial after trial; each leaves it at rest."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from castoff.store import artifacts, keys
from castoff.store.open import open_store
from support.fleet import Fleet, FleetHost
from support.fleet_namespaces import fleet_in_namespaces
from support.oracle import Oracle, tree_of
from support.site import Outcome, Site
from support.traps import Traps, steps

APP = "pages"
ENVIRONMENT = "production"
VERSIONS = ("1.0", "2.0")


@dataclass(frozen=True)
class Limits:
    """Seconds, as in castoff.toml; by default more than a busy machine needs."""

    connect: float = 60
    answer: float = 60
    reconnect: float = 3
    lease: float = 60
    step: float = 60

    def table(self) -> str:
        """Return the table `limits`."""
        return (
            f"{{ connect = {self.connect}, answer = {self.answer}, "
            f"reconnect = {self.reconnect}, lease = {self.lease} }}"
        )


CALM = Limits()
# A host that is silent is soon given up.
HASTY = Limits(connect=8, answer=4, step=5)
# The lock of a controller that is silent is soon free.
SHORT_LEASE = Limits(lease=8)
PAUSE = 9.0
_STORE_TIMEOUT = 2


@dataclass
class Ground:
    """Where trials take place.

    Attributes:
        live: The version that every host serves between two trials.
        clean: Whether the last trial has left it so.
    """

    site: Site
    fleet: Fleet
    store: str
    oracle: Oracle = field(init=False)
    live: str = VERSIONS[0]
    clean: bool = True

    def prepare(self) -> None:
        """Publish the versions, and bring the first one to all hosts."""
        for host in self.fleet.hosts:
            Traps(host).lay()
        self.configure()
        for version in VERSIONS:
            self.site.publish(version)
        self.oracle = self._oracle()
        first = self.castoff("release", self.live)
        assert first.code == 0, first.err

    def configure(self, strategy: str = 'kind = "all"', limits: Limits = CALM) -> None:
        """Write castoff.toml; what runs already has read the one before."""
        hosts = "\n".join(
            f"[[environments.{ENVIRONMENT}.hosts]]\n"
            f"name = {json.dumps(host.name)}\naddress = {json.dumps(host.address)}\n"
            f"port = {host.port}\nuser = {json.dumps(host.user)}\n"
            f"key = {json.dumps(str(host.key_path))}\nroot = {json.dumps(f'{host.root}/{{app}}')}\n"
            f"python = {json.dumps(Traps(host).python)}\n"
            for host in self.fleet.hosts
        )
        paired = "blue-green" in strategy
        text = f"""
[apps.{APP}]
build = {{ exclude = ["castoff.toml"] }}
[store]
{self.store}
timeout = {_STORE_TIMEOUT}
[environments.{ENVIRONMENT}]
known_hosts = {json.dumps(str(self.fleet.known_hosts))}
limits = {limits.table()}
strategy = {{ {strategy} }}
{hosts}
{steps(ENVIRONMENT, self.fleet.hosts[0].root, timeout=limits.step, paired=paired)}
"""
        self.site.write({"castoff.toml": text})

    def host(self, name: str) -> FleetHost:
        """Return a host by its name."""
        return next(host for host in self.fleet.hosts if host.name == name)

    def other(self) -> str:
        """Return the version that is not live."""
        return VERSIONS[1 - VERSIONS.index(self.live)]

    def castoff(self, *words: str) -> Outcome:
        """Run the command line on it."""
        return self.site.castoff(*words, "--env", ENVIRONMENT, timeout=240)

    def _oracle(self) -> Oracle:
        facts = dict(line.split(" = ") for line in self.store.splitlines())
        store = open_store(
            json.loads(facts["url"]),
            base=self.site.folder,
            endpoint_url=json.loads(facts.get("endpoint_url", "null")),
        )
        trees = {}
        for version in VERSIONS:
            manifest, _ = artifacts.fetch_manifest(store, APP, version)
            name = self.site.folder / "archive"
            key = keys.blob(APP, version, manifest.archive.name)
            store.download(key, name, sha256=manifest.archive.sha256)
            trees[version] = tree_of(name.read_bytes())
            name.unlink()
        return Oracle(APP, ENVIRONMENT, store, self.fleet, trees)


@contextlib.contextmanager
def ground(
    folder: Path, key: Path, *, store: str, variables: dict[str, str] | None = None
) -> Iterator[Ground]:
    """Make one in an empty folder.

    Args:
        folder: For the project and the fleet's disks.
        key: Private key of the fleet.
        store: The `[store]` table's lines.
        variables: Of the environment of every command.
    """
    names = [f"web{number}" for number in range(1, 7)]
    (folder / "fleet").mkdir()
    with fleet_in_namespaces(folder / "fleet", names, key, disk="64m") as fleet:
        made = Ground(Site(folder / "site", variables=variables), fleet, store)
        made.prepare()
        yield made
