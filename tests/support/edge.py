"""A CDN of one edge: nginx that keeps what it fetched from a bucket, as long as it was told to.

So what is stale is seen to be stale. `CloudFront` puts moto, which knows CloudFront's language and
has no edges, in command of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import subprocess
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from support import s3
from support.ports import free_ports
from support.traps import wait_until

# How long an edge of CloudFront takes to hear of anything.
_PROPAGATION = 0.7


class Edge:
    """nginx in front of a bucket; `/` and folders are their `index.html`.

    Attributes:
        url: With a slash at its end.
        purge: A line of shell that forgets the paths on its standard input.
    """

    def __init__(self, folder: Path, endpoint: str, bucket: str, address: str) -> None:
        (port,) = free_ports(1)
        self.url = f"http://{address}:{port}/"
        self._folder = folder
        self._endpoint = endpoint
        self._bucket = bucket
        self._listen = f"{address}:{port}"
        self._lines = ""
        self._origin_path = ""
        cache = folder / "cache"
        self.purge = (
            "while read -r path; do"
            f' rm -f "{cache}/$(printf %s "/$path" | md5sum | cut -c1-32)"; done'
        )
        (folder / "logs").mkdir(parents=True)
        self._write()

    def forget(self, paths: Sequence[str]) -> None:
        """Remove paths, each with a slash at its beginning, from the cache."""
        for path in paths:
            whole = f"{path}index.html" if path.endswith("/") else path
            name = hashlib.md5(whole.encode(), usedforsecurity=False).hexdigest()
            (self._folder / "cache" / name).unlink(missing_ok=True)

    def forget_all(self) -> None:
        """Empty the cache."""
        for path in (self._folder / "cache").iterdir():
            path.unlink(missing_ok=True)

    def look_in(self, origin_path: str) -> None:
        """Fetch from this folder of the bucket from now on; what is kept stays."""
        self._origin_path = origin_path
        self._write()
        self._reload()

    def add(self, lines: str) -> None:
        """Add lines to what nginx does with each request."""
        self._lines = lines
        self._write()
        self._reload()

    def get(self, path: str) -> str:
        """Return what a reader gets; raises HTTPError."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:
            text: str = answer.read().decode()
        return text

    def command(self, *words: str) -> list[str]:
        """Return a command of nginx for this edge."""
        return ["nginx", "-p", str(self._folder), "-c", str(self._folder / "nginx.conf"), *words]

    def answers(self) -> bool:
        """Whether it takes requests."""
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}-/up") as answer:
            return int(answer.read()) == self._generation()
        return False

    def _generation(self) -> int:
        text = json.dumps([self._lines, self._origin_path])
        return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16)

    def _reload(self) -> None:
        subprocess.run(self.command("-s", "reload"), check=True, capture_output=True)
        wait_until(self.answers, "nginx does not take its new configuration")

    def _write(self) -> None:
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "\n".join(f"{kind}_temp_path {self._folder}/{kind};" for kind in kinds)
        # The origin of the page belongs to the key: the bucket's leave (CORS) is not the same.
        (self._folder / "nginx.conf").write_text(f"""
user root;
worker_processes 1;
pid {self._folder}/nginx.pid;
error_log {self._folder}/logs/error.log;
events {{ worker_connections 512; }}
http {{
access_log off;
{temporary}
proxy_cache_path {self._folder}/cache keys_zone=edge:1m inactive=1h;
server {{
    listen {self._listen};
    location = /-/up {{ return 200 {self._generation()}; }}
    location / {{
        set $seen $uri;
        if ($seen ~ ^(.*)/$) {{ set $seen $1/index.html; }}
        rewrite ^ /{self._bucket}{self._origin_path}$seen break;
        proxy_pass {self._endpoint};
        proxy_cache edge;
        proxy_cache_key $seen$http_origin;
        proxy_cache_valid 200 404 10m;
        {self._lines}
    }}
}}
}}
""")


@contextlib.contextmanager
def edge(
    folder: Path, endpoint: str, bucket: str, *, address: str = "127.0.0.1", path: str = ""
) -> Iterator[Edge]:
    """Let everybody read a bucket, and run an edge in front of it.

    Args:
        folder: For its files.
        endpoint: The S3 server.
        bucket: The bucket.
        address: Where the edge listens.
        path: The folder in the bucket that it fetches from, with a slash at its beginning.
    """
    s3.let_everybody_read(endpoint, bucket)
    made = Edge(folder, endpoint, bucket, address)
    process = subprocess.Popen(made.command("-g", "daemon off;"))
    try:
        wait_until(made.answers, "nginx does not listen")
        if path:
            made.look_in(path)
        yield made
    finally:
        process.terminate()
        process.wait()


class CloudFront(ThreadingHTTPServer):
    """moto behind it, an edge in front: what CloudFront is told happens there, a moment later.

    Attributes:
        url: Where CloudFront's interface is.
        invalidated: The paths of each invalidation.
        under_way: How much of what it was told has not come to the edge yet.
    """

    daemon_threads = True

    def __init__(self, moto_url: str, made: Edge) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.moto = urlsplit(moto_url).netloc
        self.edge = made
        self.invalidated: list[list[str]] = []
        self.under_way = 0

    def later(self, what: str, values: Sequence[str]) -> None:
        """Bring something to the edge in a moment; until then nothing is done."""
        self.under_way += 1

        def arrive() -> None:
            if what == "invalidate":
                self.edge.forget(values)
            else:
                self.edge.look_in(values[0])
            self.under_way -= 1

        threading.Timer(_PROPAGATION, arrive).start()


class _Handler(BaseHTTPRequestHandler):
    server: CloudFront

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        there = HTTPConnection(self.server.moto, timeout=30)
        headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
        there.request(self.command, self.path, body, headers)
        answer = there.getresponse()
        data = answer.read()
        there.close()
        if self.command == "POST" and self.path.endswith("/invalidation"):
            paths = re.findall(r"<Path>([^<]*)</Path>", body.decode())
            self.server.invalidated.append(paths)
            self.server.later("invalidate", paths)
        elif self.command == "PUT" and self.path.endswith("/config"):
            self.server.later(
                "origin", re.findall(r"<OriginPath>([^<]*)</OriginPath>", body.decode())
            )
        if self.server.under_way:
            data = re.sub(rb"<Status>\w+</Status>", b"<Status>InProgress</Status>", data)
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() in ("content-type", "etag", "location"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        self._forward()

    def do_POST(self) -> None:
        self._forward()

    def do_PUT(self) -> None:
        self._forward()

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def cloudfront(moto_url: str, made: Edge) -> Iterator[CloudFront]:
    """Run CloudFront for an edge."""
    with CloudFront(moto_url, made) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
