"""A unit of systemd is restarted with just the rights that `castoff provision` gives."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import replace

import pytest

from castoff.config.model import SudoRights
from castoff.provisioner.rights import sudoers
from castoff.provisioner.surroundings import Surroundings
from castoff.releaser.built_in import ask_built_in
from castoff.releaser.errors import HostError
from castoff.releaser.replies import Prepared
from castoff.releaser.session import AgentSession, Asked, Given
from support.archives import Artifact, make_artifact
from support.fleet import FleetHost
from support.fleet_fixtures import MakeFleet
from support.resolved import resolved, sessions

# In systemd's place, which no host of a test boots: root alone restarts, everybody may ask. As it,
# it keeps what a unit starts in a control group.
_SYSTEMCTL = r"""#!/bin/sh
[ "$1" != --no-ask-password ] || shift
echo "$(id -un) $*" >>/tmp/told
case $1 in
    show)
        echo LoadState=loaded
        echo NeedDaemonReload=yes
        echo ActiveState=active
        echo ControlGroup=/GROUP
        ;;
    *) [ "$(id -u)" = 0 ] || { echo 'Access denied' >&2; exit 4; } ;;
esac
if [ "$1" = restart ]; then
    cat /sys/fs/cgroup/GROUP/cgroup.procs /sys/fs/cgroup/*/GROUP/cgroup.procs |
        sort -u | while read -r process; do kill "$process"; done
    for place in /sys/fs/cgroup /sys/fs/cgroup/*/; do
        if [ -e "$place/cgroup.procs" ]; then
            mkdir -p "$place/GROUP" && echo $$ >"$place/GROUP/cgroup.procs"
        fi
    done
    cd "$(cat /srv/release)/app"
    setsid setpriv --reuid app --regid app --init-groups sleep 600 >/dev/null </dev/null &
fi 2>/dev/null
"""


@pytest.fixture
def host(make_fleet: MakeFleet) -> Iterator[FleetHost]:
    if shutil.which("sudo") is None or shutil.which("systemctl") != "/usr/bin/systemctl":
        pytest.skip("sudo or systemctl is not installed")
    host = make_fleet(1).hosts[0]
    for name in ("app", "deploy"):
        host.add_user(name)
    group = f"castoff-{uuid.uuid4().hex}"
    host.path("/srv/systemctl").write_text(_SYSTEMCTL.replace("GROUP", group))
    host.run("chmod 755 /srv/systemctl; mount --bind /srv/systemctl /usr/bin/systemctl")
    host.run("touch /tmp/told; chmod 666 /tmp/told")
    yield host
    stop = f"for n in $(ps -o pid= -C sleep); do kill -9 $n; done; sleep 0.1; rmdir {groups(group)}"
    host.run(stop, check=False)


def groups(name: str) -> str:
    return f"/sys/fs/cgroup/{name} /sys/fs/cgroup/*/{name}"


def rights(host: FleetHost, given: SudoRights) -> str:
    """Return what provisioning writes for a host."""
    there = replace(resolved(host), user="deploy")
    around = Surroundings("shop", "test", there, user="app", releaser="deploy", login="deploy")
    return sudoers(given, around, ["shop.service"]) or ""


def allow(host: FleetHost, rules: str) -> None:
    host.run(f"cat >>/etc/sudoers <<'END'\n{rules}END\nvisudo -c -q")


def prepare(session: AgentSession, artifact: Artifact) -> None:
    def archive(offset: int, length: int) -> Iterator[bytes]:
        yield artifact.archive[offset : offset + length]

    asked = Asked(timeout=20, archive=Given(archive))
    session.ask(Prepared, "prepare", asked, **artifact.request())


@pytest.mark.fleet
def test_a_unit_is_restarted_and_looked_into_with_what_provisioning_allows(
    host: FleetHost,
) -> None:
    there = replace(resolved(host), root="~/app", user="deploy")
    artifact = make_artifact("1.0", {"app/main.py": b""})
    unit = {"unit": "shop", "action": "restart", "user_manager": False}
    options = {"systemd": unit, "grace": 5, "settle": 0}
    step = {"version": "1.0", "name": "restart", "env": {}, "user": "root", "timeout": 20}

    with sessions([there], lock=True) as fleet:
        fleet.open(there)
        session = fleet.sessions[there.name]
        prepare(session, artifact)
        host.run("echo ~deploy/app/releases/1.0 >/srv/release")

        def restart() -> None:
            ask_built_in(session, "restart", Asked(timeout=60), **step, options=options)

        with pytest.raises(HostError) as none:
            restart()
        assert "sudo" in none.value.message
        assert "/usr/bin/systemctl daemon-reload" in none.value.hint
        assert "root" not in host.run("cat /tmp/told").stdout

        allow(host, rights(host, SudoRights(restart=True)))
        with pytest.raises(HostError) as blind:
            restart()
        assert "cannot be looked into" in blind.value.message
        assert "become = true" in blind.value.hint

        allow(host, rights(host, SudoRights(restart=True, become=True)))
        restart()

    told = host.run("cat /tmp/told").stdout.splitlines()
    assert {line for line in told if line.startswith("root ")} == {
        "root daemon-reload",
        "root reset-failed shop.service",
        "root restart shop.service",
    }
