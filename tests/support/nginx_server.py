"""A real nginx whose main file includes what lies in a folder, as a distribution's does."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.ports import free_ports
from support.traps import wait_until

missing = "" if shutil.which("nginx") else "no nginx on this machine"


@dataclass(frozen=True)
class NginxServer:
    """A running nginx.

    Attributes:
        main: Its main file.
        sites: The folder whose `*.conf` it includes.
        port: A free port for a site to listen on.
    """

    main: Path
    sites: Path
    port: int

    @property
    def reload(self) -> str:
        """Return a line of shell that has it read its files anew."""
        return f"nginx -p {self.main.parent} -c {self.main} -s reload"

    def get(self) -> str:
        """Return what the site on `port` answers, or why it does not."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=10) as answer:
                text: str = answer.read().decode()
        except OSError as error:
            return str(error)
        return text


@contextlib.contextmanager
def nginx_server(folder: Path) -> Iterator[NginxServer]:
    """Run nginx in a folder until the context ends."""
    (port, own) = free_ports(2)
    made = NginxServer(folder / "nginx.conf", folder / "sites", port)
    made.sites.mkdir(parents=True)
    (folder / "logs").mkdir()
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    made.main.write_text(f"""
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/logs/error.log;
events {{ worker_connections 64; }}
http {{
access_log off;
{temporary}
server {{ listen 127.0.0.1:{own}; return 204; }}
include sites/*.conf;
}}
""")
    command = ["nginx", "-p", str(folder), "-c", str(made.main), "-g", "daemon off;"]
    process = subprocess.Popen(command)
    try:
        wait_until((folder / "nginx.pid").exists, "nginx does not start")
        yield made
    finally:
        process.terminate()
        process.wait()
