"""SSH servers in Linux namespaces, on a bridge of their own. Needs root.

A *keeper* process holds the fleet's disks (tmpfs mounts in its own mount namespace, so that
nothing is ever mounted for the rest of the machine) and waits on its standard input. When that
ends, because the test is over or its process was killed, the keeper takes the bridge down. The
hosts wait on their standard input in the same way, so nothing is left behind in any case.
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from support.fleet import SSHD, Fleet, FleetHost, make_key, write_known_hosts

TOOLS = ("ip", "tc", "unshare", "nsenter", "ssh", "ssh-keygen", SSHD)
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_FIRST_USER = 6000
_ENV = {"PATH": _PATH, "HOME": "/root", "LANG": "C.UTF-8"}

_KEEPER = """
set -e
mkdir -p "$1"
mount -t tmpfs -o mode=755 fleet "$1"
shift
bridge=$1 size=$2
shift 2
for disk; do
    mkdir -p "$disk"
    mount -t tmpfs -o "mode=755,size=$size" fleet "$disk"
    mkdir -p "$disk/srv" "$disk/ssh" "$disk/root/.ssh"
    chmod 700 "$disk/root" "$disk/root/.ssh"
done
echo ready
read -r _ || true
# A host's network lives on while a dead connection of its kernel waits for an answer.
for port in "/sys/class/net/$bridge/brif/"*; do
    if [ -e "$port" ]; then echo "link delete ${port##*/}"; fi
done | ip -force -batch - 2>/dev/null || true
ip link delete "$bridge"
"""

# The first process of a host. Its own number is read before the host gets a /proc of its own.
_INIT = """
set -e
read -r pid _ </proc/self/stat
disk=$1 host=$2 address=$3
mount --bind "$disk/srv" /srv
mount --bind "$disk/ssh" /etc/ssh
for name in passwd group shadow sudoers; do
    if [ -e "$disk/$name" ]; then mount --bind "$disk/$name" "/etc/$name"; fi
done
mount --bind "$disk/root" /root
mount -t proc proc /proc
mount -t tmpfs -o mode=755 run /run
mkdir /run/sshd
hostname "$host"
ip link set lo up
echo "$pid"
read -r _
mount -t tmpfs -o mode=1777 tmp /tmp
ip address add "$address/24" dev eth0
ip link set eth0 up
/usr/sbin/sshd -D -e -f /etc/ssh/sshd_config 2>>/srv/sshd.log &
# Written once it listens; to ask the kernel takes two programs more.
tries=0
until [ -s /run/sshd.pid ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 500 ]; then cat /srv/sshd.log >&2; exit 1; fi
    sleep 0.01
done
echo listening
read -r _ || true
"""

_SSHD_CONFIG = """
HostKey /etc/ssh/host_key
PidFile /run/sshd.pid
AuthorizedKeysFile .ssh/authorized_keys
KbdInteractiveAuthentication no
PasswordAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
UseDNS no
UsePAM no
"""


def missing() -> str:
    """Return why fleets cannot run in namespaces here; empty if they can."""
    if os.geteuid() != 0:
        return "not root"
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    trial = subprocess.run(
        ["unshare", "-n", "-m", "-u", "-p", "-f", "--kill-child", "true"],
        check=False,
        capture_output=True,
        text=True,
    )
    return "" if trial.returncode == 0 else f"no namespaces: {trial.stderr.strip()}"


@dataclass(eq=False)
class _Machine:
    """The running part of a host: none, or the processes of one boot."""

    unshare: subprocess.Popen[str] | None = None
    init: int = 0


@dataclass(frozen=True)
class NamespaceHost(FleetHost):
    """A host with network, mount, process and name spaces of its own."""

    cable: str
    bridge: str
    disk: Path
    keeper: int
    machine: _Machine = field(default_factory=_Machine, compare=False)

    def run(self, command: str, *, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a shell command inside the host's namespaces."""
        enter = ["nsenter", "-t", str(self.machine.init), "-m", "-u", "-n", "-p", "-r", "-w"]
        return subprocess.run(
            [*enter, "/bin/sh", "-c", command],
            check=check,
            capture_output=True,
            text=True,
            env=_ENV,
            stdin=subprocess.DEVNULL,
        )

    def path(self, path: str) -> Path:
        """Return a path below `/srv` as the keeper of the disks sees it."""
        inside = Path(path).relative_to("/srv")
        return Path(f"/proc/{self.keeper}/root{self.disk}/srv") / inside

    def start(self) -> None:
        """Boot."""
        self.power_on()
        self.plug_in()
        self.wait_until_up()

    def power_on(self) -> None:
        """Start the first process, which then waits for its network."""
        self.machine.unshare = subprocess.Popen(
            [
                *("nsenter", "-t", str(self.keeper), "-m", "-r", "-w"),
                *("unshare", "-n", "-m", "-u", "-p", "-f", "--kill-child"),
                *("/bin/sh", "-c", self.init_script(), "init"),
                *(str(self.disk), self.name, self.address),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env=_ENV,
            start_new_session=True,
        )

    def init_script(self) -> str:
        """Return what the first process does, given the disk, the name and the address."""
        return _INIT

    def plug_in(self) -> None:
        """Lay the cable from the bridge into the host, and let it go on.

        This machine knows the host's hardware address for good, so that a host which is cut off
        is silent, as one behind a router would be, and not soon found to be missing.
        """
        self.machine.init = int(self._line())
        hardware = "02:00:" + ":".join(f"{int(part):02x}" for part in self.address.split("."))
        peer = f"peer name eth0 address {hardware} netns {self.machine.init}"
        _ip(
            f"link add {self.cable} type veth {peer}",
            f"link set {self.cable} master {self.bridge} up",
            f"neighbour replace {self.address} lladdr {hardware} dev {self.bridge} nud permanent",
        )
        self._tell()

    def wait_until_up(self) -> None:
        """Return once the SSH server listens."""
        self._line()

    def kill(self) -> None:
        """Pull the cable first, so that no peer gets a FIN or RST, then end all processes."""
        self.cut()
        self.stop()
        _ip(f"link delete {self.cable}", check=False)

    def stop(self) -> None:
        """End all processes and wait for them; no error if none runs."""
        process = self.machine.unshare
        if process is None:
            return
        process.kill()
        process.communicate()
        self.machine.unshare = None

    def cut(self) -> None:
        """Take the bridge's end of the cable down."""
        _ip(f"link set {self.cable} down")

    def heal(self) -> None:
        """Bring the bridge's end of the cable up."""
        _ip(f"link set {self.cable} up")

    def slow(self, rate: str) -> None:
        """Put a token bucket filter on the cable."""
        limit = ["tbf", "rate", rate, "burst", "16kb", "latency", "400ms"]
        subprocess.run(["tc", "qdisc", "replace", "dev", self.cable, "root", *limit], check=True)

    def unslow(self) -> None:
        """Take the filter off."""
        subprocess.run(["tc", "qdisc", "delete", "dev", self.cable, "root"], check=True)

    def add_user(
        self, name: str, *, login_shell: str = "/bin/sh", password: str = "", sudo: str = ""
    ) -> None:
        """Write the user into the host's own files; tools such as useradd want to replace them."""
        disk = Path(f"/proc/{self.keeper}/root{self.disk}")
        number = _FIRST_USER + len((disk / "passwd").read_text().splitlines())
        hashed = _hashed(password) if password else "*"
        home = f"/srv/home/{name}"
        for file, line in (
            ("passwd", f"{name}:x:{number}:{number}::{home}:{login_shell}"),
            ("group", f"{name}:x:{number}:"),
            ("shadow", f"{name}:{hashed}:19000:0:99999:7:::"),
            *([("sudoers", f"{name} {sudo}")] if sudo else []),
        ):
            with (disk / file).open("a") as text:
                text.write(f"{line}\n")
        authorized = self.key_path.with_name(f"{self.key_path.name}.pub").read_text()
        folder = disk / home.lstrip("/") / ".ssh"
        folder.mkdir(parents=True)
        (folder / "authorized_keys").write_text(authorized)
        for path in (folder.parent, folder, folder / "authorized_keys"):
            os.chown(path, number, number)

    def _line(self) -> str:
        process = self.machine.unshare
        assert process is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} did not start: status {process.wait()}")
        return line

    def _tell(self) -> None:
        process = self.machine.unshare
        assert process is not None
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


@contextlib.contextmanager
def fleet_in_namespaces(
    directory: Path,
    names: Sequence[str],
    key_path: Path,
    *,
    disk: str,
    kind: type[NamespaceHost] = NamespaceHost,
) -> Iterator[Fleet]:
    """Run a fleet; `directory` is empty and becomes its own, `disk` is the size of each disk."""
    bridge, network = _make_bridge()
    disks = directory / "disks"
    keeper = subprocess.Popen(
        [
            *("unshare", "-m", "--propagation", "private", "/bin/sh", "-c", _KEEPER, "keeper"),
            *(str(disks), bridge, disk, *(str(disks / name) for name in names)),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env=_ENV,
        start_new_session=True,
    )
    assert keeper.stdout is not None
    hosts: list[NamespaceHost] = []
    try:
        if not keeper.stdout.readline():
            raise RuntimeError(f"no disks for the fleet: status {keeper.wait()}")
        known_hosts = directory / "known_hosts"
        for number, name in enumerate(names):
            hosts.append(
                kind(
                    name=name,
                    address=f"{network}.{10 + number}",
                    port=22,
                    user="root",
                    root="/srv",
                    key_path=key_path,
                    known_hosts_path=known_hosts,
                    cable=f"{bridge}h{number}",
                    bridge=bridge,
                    disk=disks / name,
                    keeper=keeper.pid,
                )
            )
        keys = [_furnish(host) for host in hosts]
        write_known_hosts(
            known_hosts, [(h.address, h.port, key) for h, key in zip(hosts, keys, strict=True)]
        )
        for host in hosts:
            host.power_on()
        for host in hosts:
            host.plug_in()
        for host in hosts:
            host.wait_until_up()
        yield Fleet(tuple(hosts), f"{network}.1", key_path, known_hosts, isolated=True)
    finally:
        for host in hosts:
            host.stop()
        keeper.communicate()


def _furnish(host: NamespaceHost) -> str:
    """Write the host's own files to its disk; return its public host key."""
    disk = Path(f"/proc/{host.keeper}/root{host.disk}")
    public = make_key(disk / "ssh" / "host_key")
    (disk / "ssh" / "sshd_config").write_text(_SSHD_CONFIG)
    authorized = host.key_path.with_name(host.key_path.name + ".pub").read_bytes()
    (disk / "root" / ".ssh" / "authorized_keys").write_bytes(authorized)
    for name, mode in (("passwd", 0o644), ("group", 0o644)):
        (disk / name).write_bytes(Path("/etc", name).read_bytes())
        (disk / name).chmod(mode)
    # Without PAM, sshd lets nobody in whose password is locked by a `!`.
    accounts = Path("/etc/shadow").read_text().splitlines()
    others = [account for account in accounts if not account.startswith("root:")]
    _secret(disk / "shadow", "\n".join(["root:*:19000:0:99999:7:::", *others, ""]))
    if shutil.which("sudo") is not None:
        _secret(disk / "sudoers", "Defaults env_reset\n")
    return public


def _secret(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o440)


def _hashed(password: str) -> str:
    """Return a password as it stands in /etc/shadow: SHA-512, as crypt(3) has it."""
    done = subprocess.run(
        ["openssl", "passwd", "-6", "-stdin"],
        input=password,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def _make_bridge() -> tuple[str, str]:
    """Take a network that nobody uses; the kernel lets only one of us make a bridge of a name."""
    numbers = list(range(1, 255))
    random.shuffle(numbers)
    for number in numbers:
        bridge = f"castoff{number}"
        # An address of its own, or it takes its ports', and each change drops the neighbours.
        hardware = f"02:00:0a:cb:{number:02x}:01"
        make = f"link add {bridge} address {hardware} type bridge forward_delay 0"
        if _ip(make, check=False):
            network = f"10.203.{number}"
            _ip(f"address add {network}.1/24 dev {bridge}", f"link set {bridge} up")
            return bridge, network
    raise RuntimeError("no free network in 10.203.0.0/16 for a fleet")


def _ip(*commands: str, check: bool = True) -> bool:
    """Run commands of ip(8); return whether all succeeded."""
    done = subprocess.run(
        ["ip", "-batch", "-"],
        input="\n".join(commands),
        check=False,
        capture_output=True,
        text=True,
    )
    if check and done.returncode:
        raise RuntimeError(f"ip {'; '.join(commands)}: {done.stderr.strip()}")
    return done.returncode == 0
