"""A project whose hosts are to be made ready, and the command that does it."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import fleet_namespaces
from support.fleet import Fleet

CASTOFF = str(Path(sys.executable).with_name("castoff"))


@dataclass(frozen=True)
class Provisioning:
    """A folder with a castoff.toml, and the command that is run there."""

    folder: Path
    fleet: Fleet

    def write(self, provision: str, *, hosts: str = "", environment: str = "") -> None:
        """Write castoff.toml; `provision` is what stands below [environments.test.provision]."""
        known = json.dumps(str(self.fleet.known_hosts))
        (self.folder / "castoff.toml").write_text(
            f"""
[apps.shop]
shared = ["app/media/", {{ path = "app/logs/", mode = "0750" }}]

[apps.shop.build.target]
python = "{hosts_python()}"

[environments.test]
known_hosts = {known}
limits = {{ connect = 5 }}
{environment}

{hosts or self.fleet.toml_hosts("test").replace("/srv/srv", "/srv")}

[environments.test.provision]
{provision}
"""
        )

    def run(
        self, *words: str, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run `castoff provision` with some words."""
        return subprocess.run(
            [CASTOFF, "provision", *words],
            cwd=self.folder,
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={**self.environment(), **(env or {})},
        )

    def environment(self) -> dict[str, str]:
        """Return the variables of a person whose home is the folder."""
        return {**os.environ, "HOME": str(self.folder)}


@functools.cache
def hosts_python() -> str:
    """Return the version of the Python that hosts have: Debian's, as on this machine."""
    ask = ["python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    path = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    return subprocess.run(ask, env=path, check=True, capture_output=True, text=True).stdout.strip()


def need_namespaces() -> None:
    """Skip a test where hosts cannot have roots of their own."""
    if reason := fleet_namespaces.missing():
        pytest.skip(f"no hosts with roots of their own: {reason}")
