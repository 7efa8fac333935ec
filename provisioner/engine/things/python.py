"""The interpreter that releases will look for, and the one that Castoff's agent runs on."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from castoff.provisioner.engine.ask import holds
from castoff.provisioner.engine.options import Options
from castoff.provisioner.engine.things.packages import install

# The whole standard library: Debian's minimal package lacks what the agent imports.
_RUNS = "{python} -I -c 'import hashlib, json, ssl, subprocess' 2>/dev/null"
_VERSION = '"$({python} -I -c \'import sys; print("%d.%d" % sys.version_info[:2])\' 2>/dev/null)"'

_HINT = (
    "say with build.target.python which Python hosts have, "
    "or install one and name it with `python` in castoff.toml"
)


def commands(options: Options) -> Iterator[object]:
    """Yield what installs them; an interpreter that is named by its path is only looked for."""
    if (path := options.get("path")) is not None:
        if not holds(_RUNS.format(python=shlex.quote(path))):
            yield f"echo {shlex.quote(f'{path} does not run on this host')} >&2; exit 1"
        return
    version = options.text("version")
    missing = [] if holds(_RUNS.format(python="python3")) else ["python3"]
    if not holds(
        f"[ {_VERSION.format(python='python3')} = {version} ] || "
        + _RUNS.format(python=f"python{version}")
    ):
        missing.append(f"python{version}")
    if missing:
        steps = list(install(missing))
        # After the lists are fresh, and before apt says in its own words what that means here.
        hint = f"Debian has no {missing[-1]} for this host: {_HINT}"
        steps.insert(
            1,
            f"apt-cache show {missing[-1]} >/dev/null 2>&1 || "
            f"{{ echo {shlex.quote(hint)} >&2; exit 1; }}",
        )
        yield from steps
