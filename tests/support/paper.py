"""A small web application on nginx and gunicorn, as docs/how-to/zero-downtime.md sets it up.

Each page names its version in four places: the code's module, a template and a data file that are
read at each request, and the release's own document; and the address of an asset that names it too.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from support.fleet import Fleet, FleetHost
from support.how_to import blocks
from support.ports import free_ports
from support.site import Site
from support.traps import wait_until

PAGE = "how-to/zero-downtime.md"
_REQUIREMENTS = Path(__file__).parents[2] / "examples" / "hello" / "requirements.txt"

_WEB = """\
import json
from pathlib import Path

from paper.edition import EDITION

HERE = Path(__file__).resolve().parent
VERSION = json.loads((HERE.parents[1] / "castoff.json").read_text())["version"]


def app(environ, start_response):
    if environ["PATH_INFO"] == "/health":
        body = VERSION
    else:
        page = (HERE / "page.html").read_text()
        news = (HERE / "news.txt").read_text().strip()
        body = page.format(edition=EDITION, version=VERSION, news=news)
    start_response("200 OK", [("Content-Type", "text/html")])
    return [body.encode()]
"""

_HTML = """\
<!doctype html>
<link rel="stylesheet" href="/static/{{version}}/paper.css">
<p>template v={version}; code v={{edition}}; data v={{news}}; release v={{version}};</p>
"""


def write_project(site: Site) -> None:
    """Write what all versions have in common."""
    serve = blocks(PAGE, "sh")[0]
    settings = next(block for block in blocks(PAGE, "python") if "workers" in block)
    site.write(
        {
            "requirements.txt": _locked("gunicorn"),
            "deploy/serve": serve,
            "deploy/gunicorn.conf.py": settings,
            "paper/__init__.py": "",
            "paper/web.py": _WEB,
            ".gitignore": "/artifacts/\n",
        }
    )


def write_config(site: Site, fleet: Fleet, strategy: str) -> None:
    """Write castoff.toml for a strategy, with the page's steps."""
    simple, paired = blocks(PAGE, "toml")
    site.write(
        {
            "castoff.toml": f"""
[apps.paper]
build = {{ exclude = ["castoff.toml"] }}
[environments.production]
known_hosts = {json.dumps(str(fleet.known_hosts))}
strategy = {{ {strategy} }}
{fleet.toml_hosts("production")}
{paired if "blue-green" in strategy else simple}
"""
        }
    )


def publish(site: Site, version: str) -> None:
    """Build and push a version."""
    site.write(
        {
            "paper/edition.py": f'EDITION = "{version}"\n',
            "paper/page.html": _HTML.format(version=version),
            "paper/news.txt": f"{version}\n",
            "static/paper.css": f"/* v={version}; */\n",
        }
    )
    site.commit(f"version {version}")
    for words in (("build", "--version", version), ("push", version)):
        done = site.castoff(*words)
        assert done.code == 0, done.err


def start_nginx(host: FleetHost) -> None:
    """Start nginx on a host with the page's configuration."""
    folder = host.path(host.root) / "nginx"
    (folder / "logs").mkdir(parents=True)
    (folder / "nginx.conf").write_text(_nginx(f"{host.root}/nginx", blocks(PAGE, "nginx")[0]))
    host.run(f"nginx -p {host.root}/nginx -c {host.root}/nginx/nginx.conf")


@contextlib.contextmanager
def balancer(folder: Path, fleet: Fleet, *, site: str = "$proxy_host") -> Iterator[str]:
    """Run an nginx that spreads requests over all hosts and hides no failure; yield its URL.

    Hosts are asked for the name `site`.
    """
    (port,) = free_ports(1)
    servers = "".join(f"server {host.address}:80 max_fails=0;\n" for host in fleet.hosts)
    text = _nginx(
        str(folder),
        f"""
upstream hosts {{ {servers} }}
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass http://hosts;
        proxy_next_upstream off;
        proxy_set_header Host {site};
    }}
}}
""",
    )
    (folder / "logs").mkdir(parents=True)
    (folder / "nginx.conf").write_text(text)
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    process = subprocess.Popen(command)
    wait_until(lambda: _listens(port), "nginx does not listen")
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def missing() -> str:
    """Return which of the programs that are needed are not installed; empty if none."""
    return ", ".join(name for name in ("nginx", "wrk", "curl") if shutil.which(name) is None)


def _nginx(folder: str, servers: str) -> str:
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    return f"""
user root;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/logs/error.log;
events {{ worker_connections 512; }}
http {{
types {{ text/css css; }}
access_log off;
{temporary}
{servers}
}}
"""


def _listens(port: int) -> bool:
    with contextlib.closing(socket.socket()) as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def _locked(*names: str) -> str:
    """Return the lines of some packages of the example's lock, with their hashes."""
    entries = re.split(r"\n(?=[a-z])", _REQUIREMENTS.read_text(encoding="utf-8"))
    wanted = [entry for entry in entries if entry.startswith(tuple(f"{name}==" for name in names))]
    assert len(wanted) == len(names), wanted
    return "\n".join([*wanted, ""])
