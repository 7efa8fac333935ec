"""A bare Debian as debootstrap makes it, from the mirror that this machine's apt is set up with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

_PACKAGES = "ca-certificates,iproute2,openssh-server,systemd"


def missing() -> str:
    """Return why there can be none here; empty if there can."""
    if os.geteuid() != 0:
        return "not root"
    if shutil.which("debootstrap") is None:
        return "not installed: debootstrap"
    return "" if _mirror() else "apt knows no mirror of Debian"


def debian_root() -> Path:
    """Return a root that nobody writes to; it is made once, and kept for later runs."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "castoff-tests"
    root = base / f"debian-{_suite()}"
    if not root.is_dir():
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=base) as folder:
            made = Path(folder) / "root"
            command = ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}"]
            subprocess.run([*command, _suite(), str(made), _mirror()], check=True)
            made.rename(root)
    return root


def _suite() -> str:
    found = re.search(
        r"^VERSION_CODENAME=(\S+)$", Path("/etc/os-release").read_text(), re.MULTILINE
    )
    return found[1] if found else "stable"


def _mirror() -> str:
    """Return the first mirror in apt's lists that has this suite."""
    apt = Path("/etc/apt")
    texts = [file.read_text() for file in sorted(apt.glob("sources.list.d/debian.sources"))]
    texts += [file.read_text() for file in [apt / "sources.list"] if file.is_file()]
    for text in texts:
        for line in text.splitlines():
            match = re.match(r"(?:URIs:|deb)\s+(http://\S+)", line)
            if match:
                return match[1]
    return ""
