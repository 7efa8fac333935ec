"""nginx that answers health checks: on a port, with TLS of its own authority, on a unix socket."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.ports import free_ports
from support.traps import wait_until

NAME = "www.shop.test"
_ISSUE = ["x509", "-req", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"]


@dataclass(frozen=True)
class Front:
    """Where it listens.

    Attributes:
        port: Without TLS.
        tls_port: With a certificate for NAME.
        unix: A socket, without TLS.
        ca: The authority's certificate.
    """

    port: int
    tls_port: int
    unix: Path
    ca: Path


@contextlib.contextmanager
def front(folder: Path, version: str) -> Iterator[Front]:
    """Run it; `/health` tells the version in a header, in JSON, and what it was asked."""
    if shutil.which("nginx") is None:
        pytest.skip("nginx is not installed")
    port, tls_port = free_ports(2)
    made = Front(port, tls_port, folder / "front.sock", folder / "ca.pem")
    _certificate(folder)
    (folder / "logs").mkdir()
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    body = (
        f'{{"app": {{"version": "{version}", "ready": true, "parts": ["web", 3]}},'
        ' "method": "$request_method", "host": "$http_host", "sni": "$ssl_server_name"}'
    )
    (folder / "nginx.conf").write_text(f"""
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/logs/error.log;
events {{ worker_connections 64; }}
http {{
access_log off;
{temporary}
server {{
    listen 127.0.0.1:{port};
    listen 127.0.0.1:{tls_port} ssl;
    listen unix:{made.unix};
    ssl_certificate {folder}/cert.pem;
    ssl_certificate_key {folder}/key.pem;
    location = /health {{
        add_header X-Version {version};
        return 200 '{body}';
    }}
    location / {{ return 404 'nothing here'; }}
}}
}}
""")
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_until((folder / "nginx.pid").exists, "nginx does not start")
        yield made
    finally:
        process.terminate()
        process.wait()


def _certificate(folder: Path) -> None:
    """Make an authority, and a certificate of its for NAME."""
    (folder / "names").write_text(f"subjectAltName=DNS:{NAME}\nbasicConstraints=CA:FALSE\n")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    for words in (
        ["req", "-x509", *key, "-subj", "/CN=Own authority", "-keyout", "ca.key", "-out", "ca.pem"],
        ["req", *key, "-subj", f"/CN={NAME}", "-keyout", "key.pem", "-out", "asked.pem"],
        [*_ISSUE, "-extfile", "names", "-in", "asked.pem", "-out", "cert.pem"],
    ):
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
