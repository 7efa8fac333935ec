"""Debian packages, looked for in fresh lists only if one is missing."""

from __future__ import annotations

from collections.abc import Iterator

from pyinfra.operations import apt

from castoff.provisioner.engine.options import Options
from castoff.provisioner.engine.plumbing import Plumbing

# Another apt may be at work on a host that has just come up.
_WAIT = "-o DPkg::Lock::Timeout=300"
# apt refuses to go on where dpkg was cut short. Where it is at work now, this fails and apt waits.
_GO_ON = (
    'if [ -n "$(ls /var/lib/dpkg/updates)" ]; then DEBIAN_FRONTEND=noninteractive '
    "dpkg --force-confdef --force-confold --configure -a || true; fi"
)


def commands(options: Options) -> Iterator[object]:
    """Yield what installs them."""
    yield from install(options.texts("names"))


def install(names: list[str]) -> Iterator[object]:
    """Yield what installs those that are not there, in the version that is named if one is."""
    wanted = list(
        apt.packages._inner(  # noqa: SLF001 (how operations of pyinfra use each other)
            packages=names, no_recommends=True, extra_install_args=_WAIT
        )
    )
    if wanted:
        yield Plumbing(_GO_ON)
        yield f"apt-get {_WAIT} -qq update"
    yield from wanted
