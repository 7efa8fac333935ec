"""A host, and the servers that it fetches from: nginx, and a bucket that it reaches by URL."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bytes_work.series import Series
from common.hosts import Fleet, FleetHost, fleet
from common.listening import until_it_listens
from common.wire import bytes_of
from support import s3
from support.forward import forwarded
from support.nginx_server import nginx_server


@dataclass(frozen=True)
class Ground:
    """One host and its servers.

    Attributes:
        folder: For what a way makes on the controller.
        trees: Each release's tree, unpacked, and as `.tar`, by its number.
        public: What nginx serves.
        url: Where it serves it, without a slash at the end.
        endpoint: Of the S3 server, as the host reaches it.
        log: Where nginx writes the bytes of each answer's body.
    """

    series: Series
    fleet: Fleet
    folder: Path
    trees: Path
    public: Path
    url: str
    endpoint: str
    log: Path

    @property
    def host(self) -> FleetHost:
        """The host."""
        return self.fleet.hosts[0]

    def tree(self, number: int) -> Path:
        """Return a release's tree."""
        return self.trees / str(number)

    def tar(self, number: int) -> Path:
        """Return a release's tree as an archive that is not compressed."""
        return self.trees / f"{number}.tar"

    def on_wire(self) -> int:
        """Return how many bytes have gone to and from the host so far.

        Raises:
            RuntimeError: It has no network of its own.
        """
        count = bytes_of(self.host)
        if count is None:
            raise RuntimeError("the host has no network of its own")
        return count

    def do(self, command: str) -> str:
        """Run a line of shell on the host, without a byte on its cable; return what it prints.

        Raises:
            RuntimeError: It failed.
        """
        done = self.host.run(command, check=False)
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stderr[-2000:] or done.stdout[-2000:]}")
        return done.stdout

    def given_by(self, command: str) -> int:
        """Run a line of shell on the host; return the bytes of what nginx answered meanwhile.

        Those of the answers' bodies, as nginx itself counts them.
        """
        before = self._given()
        self.do(command)
        # nginx writes its line after the client has had the last byte.
        time.sleep(0.3)
        return self._given() - before

    def _given(self) -> int:
        return sum(map(int, self.log.read_text(encoding="utf-8").split()))

    @property
    def ssh(self) -> str:
        """The OpenSSH client's command line, without the host."""
        options = (
            f"-F none -i {self.fleet.key_path} -p {self.host.port} -o BatchMode=yes "
            f"-o IdentitiesOnly=yes -o GlobalKnownHostsFile=none "
            f"-o UserKnownHostsFile={self.fleet.known_hosts}"
        )
        return f"ssh {options}"


@contextlib.contextmanager
def ground(series: Series, folder: Path) -> Iterator[Ground]:
    """Run a host and its servers."""
    places = {name: folder / name for name in ("work", "trees", "public", "bucket")}
    for place in places.values():
        place.mkdir()
    with (
        fleet(1, disk="6g") as hosts,
        s3.seaweed(places["bucket"]) as bucket,
        forwarded(hosts.gateway, urlsplit(bucket).port or 80) as port,
        nginx_server(folder / "nginx") as nginx,
    ):
        (nginx.sites / "public.conf").write_text(
            "log_format bytes $body_bytes_sent;\n"
            f"server {{ listen {hosts.gateway}:{nginx.port}; root {places['public']}; "
            f"access_log {folder}/bytes.log bytes; }}\n"
        )
        it = Ground(
            series,
            hosts,
            places["work"],
            places["trees"],
            places["public"],
            f"http://{hosts.gateway}:{nginx.port}",
            f"http://{hosts.gateway}:{port}",
            folder / "bytes.log",
        )
        subprocess.run(["/bin/sh", "-c", nginx.reload], check=True)
        until_it_listens(hosts.gateway, nginx.port, "nginx")
        yield it
