"""A systemd unit: installed and enabled, and left to the first release to be started."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from castoff.provisioner.engine.ask import BOOTED, ask, holds
from castoff.provisioner.engine.options import Options
from castoff.provisioner.engine.plumbing import Plumbing
from castoff.provisioner.engine.things.file import put

_ENABLED = ("enabled", "static", "alias", "indirect", "generated")


def commands(options: Options) -> Iterator[object]:
    """Yield what makes the unit as it should be."""
    name = options.text("name")
    quoted = shlex.quote(name)
    written = list(put(f"/etc/systemd/system/{name}", options.text("text")))
    yield from written
    stale = f"systemctl show --property NeedDaemonReload --value {quoted} 2>/dev/null"
    if written or holds(f'{BOOTED} && [ "$({stale})" = yes ]'):
        yield Plumbing(f"if {BOOTED}; then systemctl daemon-reload; fi")
    state = ask(f"systemctl is-enabled {quoted} 2>/dev/null || true")
    if not state or state[0] not in _ENABLED:
        yield f"systemctl --quiet enable {quoted}"
