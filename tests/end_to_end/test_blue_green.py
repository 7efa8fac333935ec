"""Blue-green on real hosts: nginx, a gunicorn for each colour, and readers all the time.

The steps and nginx's upstream are those of docs/how-to/blue-green.md; where it calls systemd,
which hosts in namespaces do not have, a script does the same.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support import paper
from support.fleet import Fleet, FleetHost
from support.fleet_fixtures import MakeFleet, isolated
from support.how_to import blocks
from support.load import load
from support.site import Site

pytestmark = [pytest.mark.fleet, pytest.mark.timeout(600)]

PAGE = "how-to/blue-green.md"

INSTANCE = """\
#!/bin/sh
# What `systemctl restart shop@COLOUR` does.
set -eu
pid=$CASTOFF_SHARED/$CASTOFF_COLOR.pid
echo "$CASTOFF_VERSION" >> "$CASTOFF_SHARED/starts"
alive() { grep -q gunicorn "/proc/$1/cmdline" 2>/dev/null; }
if [ -e "$pid" ]; then
    process=$(cat "$pid")
    if alive "$process"; then kill -TERM "$process"; fi
    while alive "$process"; do sleep 0.1; done
    rm -f "$pid"
fi
exec bin/gunicorn --config app/deploy/gunicorn.conf.py --bind "127.0.0.1:$PORT" --pid "$pid" \\
    --error-logfile "$CASTOFF_SHARED/gunicorn.log" --daemon paper.web:app
"""

FAULTS = """
[[environments.production.steps]]
name = "idle-smoke"
moment = "check_idle"
command = 'test "$CASTOFF_HOST$CASTOFF_VERSION" != web23'

[[environments.production.steps]]
name = "smoke"
moment = "after_activate"
command = 'test "$CASTOFF_HOST$CASTOFF_VERSION" != web24'
"""


def set_up(site: Site, fleet: Fleet) -> None:
    paper.write_project(site)
    steps = blocks(PAGE, "toml")[0]
    for here, there in (
        ("ask = true", "#"),
        ('sudo -n systemctl restart "shop@$CASTOFF_COLOR"', "sh app/deploy/instance"),
        (
            "sudo -n systemctl reload nginx",
            "nginx -p /srv/nginx -c /srv/nginx/nginx.conf -s reload",
        ),
    ):
        assert here in steps
        steps = steps.replace(here, there)
    paper.write_config(site, fleet, 'kind = "all"')
    text = (site.folder / "castoff.toml").read_text()
    head = text.partition("[[environments.production.steps]]")[0]
    head = head.replace('strategy = { kind = "all" }', "")
    site.write({"deploy/instance": INSTANCE, "castoff.toml": head + steps + FAULTS})


def start_nginx(host: FleetHost) -> None:
    upstream = blocks(PAGE, "nginx")[0].replace("/srv/shop/", "/srv/paper/")
    server = "server { listen 80; location / { proxy_pass http://shop; } }"
    static = 'location ~ "^/static/(?<v>[^/]+)/(?<f>.+)$" { root /srv/paper/releases; '
    static += "try_files /$v/app/static/$f =404; }"
    folder = host.path("/srv/nginx")
    (folder / "logs").mkdir(parents=True)
    whole = upstream + server.replace("location / ", f"{static} location / ")
    (folder / "nginx.conf").write_text(paper._nginx("/srv/nginx", whole))
    shared = host.path("/srv/paper/shared")
    shared.mkdir(parents=True)
    (shared / "upstream.conf").write_text("server 127.0.0.1:8001;\n")
    host.run("nginx -p /srv/nginx -c /srv/nginx/nginx.conf")


def starts(host: FleetHost) -> list[str]:
    return host.read("/srv/paper/shared/starts").split()


def served(fleet: Fleet) -> set[str]:
    return {host.path("/srv/paper/current").readlink().name for host in fleet.hosts}


def test_no_reader_notices_releases_failures_and_ways_back(
    site: Site, make_fleet: MakeFleet, tmp_path: Path
) -> None:
    if absent := paper.missing():
        pytest.skip(f"not installed: {absent}")
    fleet = isolated(make_fleet(2))
    set_up(site, fleet)
    for host in fleet.hosts:
        start_nginx(host)
    for version in ("1", "2", "3", "4"):
        paper.publish(site, version)
    begun = site.castoff("release", "1")
    assert begun.code == 0, begun.err
    with paper.balancer(tmp_path / "balancer", fleet) as url, load(url, patience=60) as seen:
        second = site.castoff("release", "2")
        assert second.code == 0, second.err

        unhealthy = site.castoff("release", "3")
        assert unhealthy.code == 14, unhealthy.err
        assert "idle-smoke" in unhealthy.err
        assert served(fleet) == {"2"}
        for host in fleet.hosts:
            links = {c: host.path(f"/srv/paper/{c}").readlink().name for c in ("blue", "green")}
            assert links == {"blue": "3", "green": "2"}

        failed = site.castoff("release", "4")
        assert failed.code == 15, failed.err
        assert served(fleet) == {"2"}
        assert all(starts(host) == ["1", "2", "3", "4"] for host in fleet.hosts), "2 ran on"

        again = site.castoff("release", "1")
        assert again.code == 0, again.err
        back = site.castoff("rollback", "2")
        assert back.code == 0, back.err
        assert served(fleet) == {"2"}
        assert all(starts(host) == ["1", "2", "3", "4", "1"] for host in fleet.hosts)
        status = site.castoff("status")
        assert status.code == 0, status.out
        assert "2 (green)" in status.out
    assert (seen.failed, seen.mixed, seen.errors) == (0, 0, 0), seen
    assert {"1", "2"} <= seen.versions <= {"1", "2", "4"}
