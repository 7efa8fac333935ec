"""`curl | sha256sum | tar`: the archive streamed to disk, its digest compared, and linked."""

from __future__ import annotations

import hashlib
import http.server
import threading
from functools import partial
from pathlib import Path

from release_work.ground import Ground
from release_work.peers.peer import Command
from release_work.project import Project

_SCRIPT = """
set -eu
mkdir -p {app}/releases/{version}
cd {app}/releases/{version}
mkfifo ../sum
sha256sum <../sum >../sum.txt & sum=$!
curl -fsS {url} | tee ../sum | tar -xz
wait $sum
grep -q ^{digest} ../sum.txt
ln -sfn releases/{version} {app}/current.new
mv -T {app}/current.new {app}/current
{reload}
{health}
"""


class Curl:
    """A line of shell that many start with; its archive comes from a web server beside us."""

    name = "curl | sha256sum | tar"

    def get(self) -> str:
        """Return nothing: these are on every machine."""
        return "of this machine"

    def set_up(self, ground: Ground[Project]) -> None:
        """Serve the archives, for as long as this process lasts."""
        folder = ground.project.archive("1").parent
        handler = partial(_Quiet, directory=str(folder))
        server = http.server.ThreadingHTTPServer((ground.fleet.gateway, 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self._url = f"http://{ground.fleet.gateway}:{server.server_port}"

    def release(self, ground: Ground[Project], version: str) -> Command:
        """Return one SSH command for the only host."""
        (host,) = ground.hosts
        archive: Path = ground.project.archive(version)
        script = _SCRIPT.format(
            app=ground.app(host),
            version=version,
            url=f"{self._url}/{archive.name}",
            digest=hashlib.sha256(archive.read_bytes()).hexdigest(),
            reload=ground.reload(host),
            health=ground.health(host, version),
        )
        return Command(
            ["ssh", "-F", str(ground.ssh_config), host.name, f"bash -c '{_inner(script)}'"],
            ground.folder,
        )

    def rollback(self, ground: Ground[Project], version: str) -> None:
        """Return nothing: this is about first releases."""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        pass


def _inner(script: str) -> str:
    return script.replace("'", "'\\''")
