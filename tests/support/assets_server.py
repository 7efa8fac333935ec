"""One page that loads its assets from a CDN, with integrity, as the release's list names them.

Run on a host as `python3 assets_server.py FOLDER PORT CDN`; FOLDER is the app's root there, CDN a
base URL. The list is read anew through `current` at each request.
"""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = """<!doctype html>
<link rel="stylesheet" href="{css}" integrity="{css_integrity}" crossorigin>
<script type="module" src="{js}" integrity="{js_integrity}" crossorigin></script>
<body data-version="{version}"><img src="{logo}" crossorigin></body>
"""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        release = (Path(sys.argv[1]) / "current").resolve()
        assets = json.loads((release / "static/assets.json").read_text())["assets"]
        words = {"version": release.name}
        for word, name in (("css", "css/app.css"), ("js", "app.js"), ("logo", "logo.svg")):
            words[word] = sys.argv[3] + assets[name]["path"]
            words[f"{word}_integrity"] = assets[name]["integrity"]
        body = PAGE.format(**words).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(sys.argv[2])), Handler).serve_forever()
