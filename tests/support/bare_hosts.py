"""Hosts that may be changed as a whole: each has a root of its own over one that stays as it is.

What such a host writes lies in a tmpfs that is gone with it. The root below is this machine's,
which is there at once, or one that debootstrap made.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from support.fleet import Fleet
from support.fleet_namespaces import NamespaceHost, fleet_in_namespaces

_INIT = """
set -e
read -r pid _ </proc/self/stat
disk=$1 host=$2 address=$3 root=$1/root-of-its-own
mkdir -p "$root" "$disk/upper" "$disk/work"
mount -t overlay -o "lowerdir=@LOWER@,upperdir=$disk/upper,workdir=$disk/work" root "$root"
mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/run" "$root/tmp" "$root/root/.ssh"
cp -a "$disk/root/.ssh/." "$root/root/.ssh/"
rm -rf "$root/etc/ssh"
cp -a "$disk/ssh" "$root/etc/ssh"
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 run "$root/run"
mount -t tmpfs -o mode=1777 tmp "$root/tmp"
mkdir "$root/run/sshd"
hostname "$host"
echo "$pid"
exec chroot "$root" /bin/sh -c '
set -e
cd /
# A login without PAM is refused to an account that is locked by a "!".
sed -i "s/^root:[^:]*:/root:*:/" /etc/shadow
ip link set lo up
read -r _
ip address add "$1/24" dev eth0
ip link set eth0 up
/usr/sbin/sshd -D -e -f /etc/ssh/sshd_config 2>>/run/sshd.log &
tries=0
until ss -Hltn "sport = :22" | grep -q .; do
    tries=$((tries + 1))
    if [ "$tries" -gt 500 ]; then cat /run/sshd.log >&2; exit 1; fi
    sleep 0.01
done
echo listening
read -r _ || true
' init "$address"
"""


@dataclass(frozen=True)
class BareHost(NamespaceHost):
    """A host over this machine's root."""

    def init_script(self) -> str:
        """Return what the first process does."""
        return _INIT.replace("@LOWER@", str(self.lower()))

    def lower(self) -> Path:
        """Return the root that stays as it is."""
        return Path("/")

    @property
    def upper(self) -> Path:
        """Return the folder of all that was written over the root that stays as it is."""
        return Path(f"/proc/{self.keeper}/root{self.disk}/upper")

    def path(self, path: str) -> Path:
        """Return any path as this machine sees it, while the host is on."""
        return Path(f"/proc/{self.machine.init}/root") / path.lstrip("/")


@contextlib.contextmanager
def bare_hosts(
    directory: Path,
    names: Sequence[str],
    key_path: Path,
    *,
    lower: Path = Path("/"),
    disk: str = "1g",
) -> Iterator[Fleet]:
    """Run hosts over a root; `directory` is empty and becomes the fleet's own."""

    @dataclass(frozen=True)
    class Host(BareHost):
        def lower(self) -> Path:
            return lower

    with fleet_in_namespaces(directory, names, key_path, disk=disk, kind=Host) as fleet:
        yield fleet
