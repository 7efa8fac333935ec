"""Release the pages of `support.site` to a fleet, and see from outside what its hosts have."""

from __future__ import annotations

import shutil
import time

from support import pages_server
from support.fleet import Fleet, FleetHost
from support.poller import ask
from support.site import Site

PORT = 8100

STEPS = """
[[environments.production.steps]]
name = "backup"
moment = "backup"
command = 'echo "backup $CASTOFF_VERSION" >> "$CASTOFF_SHARED/log"'

[[environments.production.steps]]
name = "migrate"
moment = "once"
command = 'echo "migrate $CASTOFF_VERSION on $CASTOFF_HOST" >> "$CASTOFF_SHARED/log"'

[[environments.production.steps]]
name = "restart"
moment = "activate"
command = 'echo "restart $CASTOFF_VERSION" >> "$CASTOFF_SHARED/log"'

[[environments.production.steps]]
name = "health"
moment = "after_activate"
timeout = 20
http = { url = "http://127.0.0.1:{PORT}/", contains = "{version}" }
"""


def write_config(
    site: Site, fleet: Fleet, *, store: str = "", steps: str = STEPS, more: str = ""
) -> None:
    """Write a castoff.toml that releases the site to the fleet."""
    hosts = "\n".join(
        fleet.toml_hosts("production", extra=f'env = {{ PORT = "{PORT}" }}').splitlines()
    )
    site.write(
        {
            "castoff.toml": f"""
[apps.pages]
build = {{ exclude = ["castoff.toml"] }}
{store}
[environments.production]
known_hosts = "{fleet.known_hosts}"
keep = 3
{more}
{hosts}
{steps}
"""
        }
    )


def url(host: FleetHost) -> str:
    """Return where a host's pages are."""
    return f"http://{host.address}:{PORT}/"


def serve(host: FleetHost) -> None:
    """Start the pages' server on a host and wait until it answers."""
    script = host.path(host.root) / "pages_server.py"
    shutil.copy(pages_server.__file__, script)
    host.run(
        f"setsid python3 {host.root}/pages_server.py {host.root}/pages {PORT} "
        ">/dev/null 2>&1 </dev/null &"
    )
    while ask(host.name, url(host)).error:
        time.sleep(0.05)


def live(fleet: Fleet) -> dict[str, str | None]:
    """Return the version that each host's link names, read without Castoff."""
    found: dict[str, str | None] = {}
    for host in fleet.hosts:
        link = host.path(f"{host.root}/pages") / "current"
        found[host.name] = link.readlink().name if link.is_symlink() else None
    return found


def log(host: FleetHost) -> list[str]:
    """Return what the steps wrote on a host."""
    path = host.path(f"{host.root}/pages") / "shared" / "log"
    return path.read_text().splitlines() if path.exists() else []
