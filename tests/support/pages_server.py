"""Serve all pages of `current` as one JSON list of stamps, read anew at each request.

Run on a host as `python3 pages_server.py FOLDER PORT`; FOLDER is the app's root there.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        release = (Path(sys.argv[1]) / "current").resolve()
        stamps = [page.read_text().split()[0] for page in sorted(release.glob("app/pages/*.txt"))]
        body = json.dumps({"stamps": sorted(set(stamps)), "pages": len(stamps)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(sys.argv[2])), Handler).serve_forever()
