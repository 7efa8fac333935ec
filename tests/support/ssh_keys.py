"""SSH keys made by the real ssh-keygen, and a real agent to hold them."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def make_key(path: Path, *, kind: str = "ed25519", passphrase: str = "") -> Path:
    """Make a key pair at `path` and `path`.pub; return `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", path.name, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def public(key: Path) -> Path:
    """Return the file of a key's public half."""
    return key.with_name(f"{key.name}.pub")


def raw_signature(key: Path, data: bytes, namespace: str) -> bytes:
    """Return what ssh-keygen signs for any namespace."""
    return subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", namespace],
        input=data,
        check=True,
        capture_output=True,
    ).stdout


@contextmanager
def ssh_agent(*keys: Path) -> Iterator[str]:
    """Run an agent that holds these keys; yield its socket."""
    started = subprocess.run(["ssh-agent", "-s"], check=True, capture_output=True, text=True).stdout
    socket = re.findall(r"SSH_AUTH_SOCK=([^;]+)", started)[0]
    variables = {
        **os.environ,
        "SSH_AUTH_SOCK": socket,
        "SSH_AGENT_PID": re.findall(r"SSH_AGENT_PID=(\d+)", started)[0],
    }
    try:
        for key in keys:
            subprocess.run(["ssh-add", "-q", str(key)], check=True, env=variables)
        yield socket
    finally:
        subprocess.run(["ssh-agent", "-k"], check=True, env=variables, capture_output=True)
