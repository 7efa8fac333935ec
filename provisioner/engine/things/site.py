"""nginx with the app's site: checked by nginx itself, and taken back if nginx refuses it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from castoff.provisioner.engine.ask import BOOTED, holds
from castoff.provisioner.engine.options import Options
from castoff.provisioner.engine.plumbing import Plumbing
from castoff.provisioner.engine.things.file import put

_DEFAULT = "/etc/nginx/sites-enabled/default"
_AVAILABLE_DEFAULT = "/etc/nginx/sites-available/default"
_RUNS = '[ -s /run/nginx.pid ] && kill -0 "$(cat /run/nginx.pid)" 2>/dev/null'
_START = f"if {BOOTED}; then systemctl enable --now nginx; else service nginx start; fi"
_RELOAD = f"if {BOOTED}; then systemctl reload nginx; else nginx -s reload; fi"


def commands(options: Options) -> Iterator[object]:
    """Yield what puts the site there, switches it on and lets nginx serve it."""
    name = options.text("name")
    path = f"/etc/nginx/sites-available/{name}"
    link, kept = f"/etc/nginx/sites-enabled/{name}", f"{path}.castoff-before"
    # There from the first change until nginx has taken it in, whatever comes in between.
    pending = f"/etc/nginx/sites-available/.{name}.castoff-pending"
    steps = list(put(path, options.text("text")))
    taken_back = f"if [ -f {_q(kept)} ]; then mv -fT {_q(kept)} {_q(path)}; "
    taken_back += f"else rm -f {_q(path)} {_q(link)}; fi; rm -f {_q(pending)}"
    if steps:
        steps.insert(0, Plumbing(f"if [ -f {_q(path)} ]; then cp -p {_q(path)} {_q(kept)}; fi"))
    if not holds(f'[ "$(readlink {_q(link)})" = {_q(path)} ]'):
        steps.append(f"ln -sfn {_q(path)} {_q(link)}")
    if options.flag("takes_all") and holds(f"[ -L {_DEFAULT} ]"):
        steps.append(f"rm -f {_DEFAULT}")
        taken_back += f"; ln -sfn {_AVAILABLE_DEFAULT} {_DEFAULT}"
    if steps or holds(f"[ -e {_q(pending)} ]"):
        yield Plumbing(f"mkdir -p /etc/nginx/sites-available && touch {_q(pending)}")
        yield from steps
        yield Plumbing(f"nginx -t -q || {{ {taken_back}; exit 1; }}")
        yield f"if {_RUNS}; then {_RELOAD}; else {_START}; fi"
        yield Plumbing(f"rm -f {_q(kept)} {_q(pending)}")
    elif not holds(_RUNS):
        yield _START


def _q(path: str) -> str:
    return shlex.quote(path)
