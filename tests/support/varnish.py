"""A Varnish of its own for a test, before a page that counts how often it was made."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.ports import free_ports
from support.traps import wait_until

_VCL = """
vcl 4.1;
backend origin {{ .host = "127.0.0.1"; .port = "{origin}"; }}
sub vcl_recv {{
    if (req.method == "PURGE") {{ return (purge); }}
}}
sub vcl_backend_response {{
    set beresp.ttl = 1h;
    set beresp.grace = 0s;
    set beresp.http.x-url = bereq.url;
}}
"""


@dataclass(frozen=True)
class Varnish:
    """A running instance.

    Attributes:
        port: Where it answers.
        instance: Its folder, by which its program knows it (-n).
        admin: The port of its management.
        secret: The file that lets one manage it.
    """

    port: int
    instance: Path
    admin: int
    secret: Path


@contextlib.contextmanager
def varnish(folder: Path, origin: int) -> Iterator[Varnish]:
    """Run it before a server; skip the test where it is not installed."""
    if shutil.which("varnishd") is None:
        pytest.skip("Varnish is not installed")
    port, admin = free_ports(2)
    # Its own users must be able to enter this folder.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as outside:
        place = Path(outside)
        place.chmod(0o755)
        made = Varnish(port, place / "instance", admin, folder / "secret")
        made.secret.write_text("s3cret\n")
        vcl = place / "shop.vcl"
        vcl.write_text(_VCL.format(origin=origin))
        vcl.chmod(0o644)
        command = ["varnishd", "-F", "-n", str(made.instance), "-a", f"127.0.0.1:{port}"]
        command += ["-T", f"127.0.0.1:{admin}", "-S", str(made.secret), "-f", str(vcl)]
        command += ["-s", "malloc,16m", "-p", "vsl_space=4M"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        status = ["varnishadm", "-n", str(made.instance), "status"]

        def runs() -> bool:
            done = subprocess.run(status, capture_output=True, text=True, check=False)
            return "running" in done.stdout or process.poll() is not None

        try:
            wait_until(runs, "Varnish does not start")
            assert process.poll() is None, "Varnish does not start"
            yield made
        finally:
            process.terminate()
            process.wait()
