"""A file with its text, owner and mode: checked beside its place, then moved there at once."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator
from io import StringIO
from pathlib import PurePosixPath

from pyinfra.api.command import FileUploadCommand

from castoff.provisioner.engine.ask import ask
from castoff.provisioner.engine.options import Options
from castoff.provisioner.engine.plumbing import Plumbing

BESIDE = ".castoff"


def commands(options: Options) -> Iterator[object]:
    """Yield what puts the file there."""
    yield from put(
        options.text("path"),
        options.text("text"),
        mode=options.text("mode"),
        check=options.get("check"),
    )


def put(path: str, text: str, *, mode: str = "0644", check: str | None = None) -> Iterator[object]:
    """Yield what makes a file of root's as it should be; nothing if it is.

    Args:
        path: Absolute; its folder is made if it is missing.
        text: What is to be in it.
        mode: Octal digits.
        check: Command that must succeed for `{file}`, the file beside its place.
    """
    if is_so(path, text, mode):
        return
    place = PurePosixPath(path)
    # Hidden, and with a dot, so that no program takes it for one of its own meanwhile.
    hidden = str(place.with_name(f".{place.name}{BESIDE}"))
    beside = shlex.quote(hidden)
    yield Plumbing(f"mkdir -p {shlex.quote(str(place.parent))}")
    yield FileUploadCommand(StringIO(text), hidden)
    put_in_place = f"chmod {mode} {beside} && mv -fT {beside} {shlex.quote(path)}"
    if check is None:
        yield Plumbing(put_in_place)
    else:
        checked = check.replace("{file}", beside)
        yield Plumbing(f"if {checked}; then {put_in_place}; else rm -f {beside}; exit 1; fi")


def is_so(path: str, text: str, mode: str) -> bool:
    """Return whether a plain file of root's has this text and mode."""
    quoted = shlex.quote(path)
    digest = hashlib.sha256(text.encode()).hexdigest()
    found = ask(
        f"if [ -f {quoted} ] && [ ! -L {quoted} ]; then "
        f"stat -c %U:%G:%a {quoted} && sha256sum <{quoted}; fi"
    )
    return found == [f"root:root:{int(mode, 8):o}", f"{digest}  -"]
