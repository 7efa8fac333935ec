"""Let nginx judge files that its configuration includes, each in the place that it is to have.

nginx reads a whole configuration or nothing. So it is given a private copy of its main file in
which the includes that lead to one of our files lead to the new one instead, and those that lead to
a file which is going away lead nowhere. All others are left as they are: what nginx says is about
the real files. The copy lies beside the main file, since relative paths in it start from there.

A test makes the pid file if it is not there, and leaves it empty, so that whoever reads it takes it
for broken. In the copy it is a file of our own, which goes with the copy.

Syntax of configuration files: nginx.org/en/docs/beginners_guide.html#conf_structure; of `include`:
nginx.org/en/docs/ngx_core_module.html#include; of `pid`: the same, #pid, and twice is an error.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
from fnmatch import fnmatchcase

from ..errors import AgentError
from ..placed import Placed, place, remove
from .checking import Checking, about_the_release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_DEEP = 20
# A comment or a text in quotes, which may hold anything; else an `include` or `pid` and what it
# names. All begin where a word can.
_PARTS = re.compile(
    rb"""(?<![^\s{};])(?:
        \#[^\n]*
      | "(?:\\.|[^"\\])*"
      | '(?:\\.|[^'\\])*'
      | (?P<key>include|pid)\s+
        (?P<named>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^\s;{}"'][^\s;{}]*)\s*;
    )""",
    re.VERBOSE | re.DOTALL,
)
_QUOTES = b"\"'"


def check_nginx(
    checking: Checking,
    main: str | None,
    files: Mapping[str, bytes | None],
    judged: list[str],
    limit: float,
    *,
    root: str,
    version: str,
) -> None:
    """Have nginx test its configuration as it will be.

    Args:
        checking: How programs are run.
        main: nginx's main file; None for the one that it was built to read.
        files: Content of all files outside the release by path; None for those that go away.
        judged: Those of them that nginx is to have read.
        limit: Seconds that it may take.
        root: The app's root.
        version: The version that they are for.

    Raises:
        AgentError: `step-failed`: nginx refuses them, or does not read one of those judged.
    """
    program = checking.find("nginx", judged[0])
    built_in = _built_in(checking, program, limit)
    prefix = [] if main in (None, built_in) else ["-p", os.path.dirname(str(main))]
    main = os.path.normpath(main or built_in)
    contents = {
        path: None if data is None else about_the_release(data, root, version)
        for path, data in files.items()
    }
    copies = _Copies(main, contents, checking.scratch)
    text = copies.rewritten(main)
    unread = [path for path in judged if os.path.realpath(path) not in copies.read]
    if text is None or unread:
        raise AgentError(
            "step-failed",
            f"{(unread or judged)[0]} is not among what {main} includes: nginx would not read it",
            f"Mend `path`, or the includes of {main}; or set another `check`.",
        )
    mark = hashlib.sha256(root.encode()).hexdigest()[:8]
    beside = os.path.join(os.path.dirname(main), f".{os.path.basename(main)}.castoff-{mark}")
    if not os.access(os.path.dirname(main), os.W_OK):
        beside = os.path.join(checking.scratch, "nginx.conf")
    try:
        # By a second name, which nginx's own includes do not take in either.
        place(beside, Placed(text, 0o600, None, None), f"{beside}-new")
        copies.names[beside] = main
        own_pid = [] if copies.names_pid else ["-g", os.fsdecode(copies.pid)]
        argv = [program, "-t", "-q", *prefix, *own_pid, "-c", beside]
        checking.run(argv, ", ".join(judged), limit, copies=copies.names)
    finally:
        remove(beside)


def _built_in(checking: Checking, program: str, limit: float) -> str:
    """Return the main file that nginx reads if it is told nothing."""
    said = checking.quietly([program, "-V"], limit)
    found = re.search(r"--conf-path=(\S+)", said)
    return found[1] if found else "/etc/nginx/nginx.conf"


class _Copies:
    """Private copies of those configuration files in which something is different.

    Attributes:
        names: The real file of each copy.
        read: Real paths of our files that are read by way of the main one.
        pid: The directive that names a pid file of our own.
        names_pid: Whether one of the copies has it.
    """

    def __init__(self, main: str, contents: Mapping[str, bytes | None], scratch: str) -> None:
        self.names: dict[str, str] = {}
        self.read: set[str] = set()
        self.pid = b'pid "' + _escaped(os.path.join(scratch, "nginx.pid")) + b'";'
        self.names_pid = False
        self._folder = os.path.dirname(main)
        self._contents = {os.path.realpath(path): data for path, data in contents.items()}
        self._paths = list(contents)
        self._scratch = scratch

    def rewritten(self, path: str, depth: int = 0) -> bytes | None:
        """Return a file's text as nginx is to see it; None if nothing in it is different.

        Raises:
            AgentError: `step-failed`: it cannot be read, or includes go in a circle.
        """
        real = os.path.realpath(path)
        ours = self._contents.get(real)
        if depth > _MOST_DEEP:
            raise AgentError("step-failed", f"{path} is included from itself")
        if ours is None:
            try:
                with open(path, "rb") as file:
                    text = file.read()
            except (FileNotFoundError, IsADirectoryError):
                return None  # nginx says so better
        else:
            self.read.add(real)
            text = ours
        new = _PARTS.sub(lambda match: self._part(match, depth), text)
        return None if ours is None and new == text else new

    def _part(self, match: re.Match[bytes], depth: int) -> bytes:
        named = match["named"]
        if named is None:
            return match[0]
        if match["key"] == b"pid":
            self.names_pid = True
            return self.pid
        plain = named[1:-1] if named[:1] in (b'"', b"'") else named
        pattern = os.path.join(self._folder, os.fsdecode(plain))
        different = False
        lines = []
        for path in self._matches(pattern):
            if path is None:
                different = True
                continue
            text = self.rewritten(path, depth + 1)
            different = different or text is not None
            read = path if text is None else self._copy(path, text)
            lines.append(b'include "' + _escaped(read) + b'";')
        return b"\n".join(lines) if different else match[0]

    def _matches(self, pattern: str) -> list[str | None]:
        """Return the files that a pattern will name, sorted; None for each that goes away."""
        found: set[str] = set(glob.glob(pattern))
        if not glob.has_magic(pattern) and os.path.lexists(pattern):
            found = {pattern}
        found.update(
            path
            for path in self._paths
            if self._contents[os.path.realpath(path)] is not None
            and _is_named(path, pattern)
            and os.path.realpath(path) not in {os.path.realpath(one) for one in found}
        )
        return [
            None if self._contents.get(os.path.realpath(path), b"") is None else path
            for path in sorted(found)
        ]

    def _copy(self, path: str, text: bytes) -> str:
        copy = os.path.join(self._scratch, f"nginx-{len(self.names)}")
        place(copy, Placed(text, 0o600, None, None), f"{copy}-new")
        self.names[copy] = path
        return copy


def _is_named(path: str, pattern: str) -> bool:
    """Whether a pattern names a file that need not be there yet, as glob(7) says."""
    for one in (path, _with_real_folder(path)):
        for other in (pattern, _with_real_folder(pattern)):
            parts, wanted = one.split("/"), os.path.normpath(other).split("/")
            if len(parts) == len(wanted) and all(map(_is_part, parts, wanted)):
                return True
    return False


def _is_part(part: str, pattern: str) -> bool:
    hidden = part.startswith(".") and not pattern.startswith(".")
    return not hidden and fnmatchcase(part, pattern)


def _with_real_folder(path: str) -> str:
    folder, name = os.path.split(path)
    return os.path.join(os.path.realpath(folder), name)


def _escaped(path: str) -> bytes:
    return os.fsencode(path).replace(b"\\", b"\\\\").replace(b'"', b'\\"')
