"""What uv and pip say when they fail, as one sentence that names the host, package or lock."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from castoff.builder.destination import Destination
from castoff.builder.errors import BuildError, NoIndex, WrongHash
from castoff.builder.no_wheel import Missing, NoWheel
from castoff.store.errors import CastoffError

_NAME = r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)"
_VERSION = r"(?P<version>[A-Za-z0-9][A-Za-z0-9.!+_-]*)"
# Words of uv 0.8 to 0.13 and of pip 23 to 26. What none of them fits is shown as it was said.
_NO_ANSWER = re.compile(
    r"error sending request|[Cc]onnection (?:refused|reset)|dns error|operation timed out"
    r"|NewConnectionError|ConnectTimeoutError|NameResolutionError|ReadTimeoutError|Max retries"
)
_STATUS = re.compile(
    r"HTTP status (?:server|client) error \((?P<uv>\d{3}[^)]*)\)"
    r"|(?P<pip>[45]\d\d) (?:Client|Server) Error"
)
_URL = re.compile(r"https?://[^\s`'\")>]+")
_PIP_HOST = re.compile(r"host='(?P<host>[^']+)', port=(?P<port>\d+)")
_MISMATCH = (
    re.compile(rf"Hash mismatch for `{_NAME}==(?P<version>[^`@ ]+)"),
    re.compile(rf"DO NOT MATCH THE HASHES.*?\n\s+{_NAME}==(?P<version>[^\s;]+)", re.DOTALL),
)
_NOT_THERE = (
    re.compile(
        rf"Package `{_NAME}(?P<version>)` can't be installed because it is marked as `--no-"
    ),
    re.compile(rf"`{_NAME}==(?P<version>[^`@ ]+)[^`]*` can't be installed because it is marked as"),
    re.compile(rf"ecause {_NAME}=={_VERSION} has no\s+(?:usable\s+)?wheels"),
    re.compile(rf"ecause (?:only )?{_NAME}=={_VERSION}\s+.{{0,60}}no wheels with a matching"),
    re.compile(rf"ecause there is no\s+version\s+of\s+{_NAME}=={_VERSION}"),
    re.compile(rf"ecause {_NAME} was not\s+found\s+in(?P<version>)"),
    re.compile(rf"No matching distribution found for {_NAME}=={_VERSION}"),
)
_OTHER_WHEELS = re.compile(
    rf"Wheels are available for `{_NAME}` \(v?[^)]*\) (?:on|with) the\s+following [^:]*:"
    r"(?P<tags>[^\n]*)"
)
_QUOTED = re.compile(r"`([^`]+)`")


def explain(error: BuildError, source: str, destination: Destination | None) -> CastoffError:
    """Return an error that says in one sentence what an installer said in many.

    Args:
        error: What running it raised.
        source: The lock's name; or that of the file which says what is needed, not which version.
        destination: What was to be installed for; None for a file of the latter kind.
    """
    said = error.output
    if _STATUS.search(said) or _NO_ANSWER.search(said):
        return _index(error)
    for pattern in _MISMATCH:
        if match := pattern.search(said):
            return _mismatch(error, source, _words(match))
    for pattern in _NOT_THERE:
        if match := pattern.search(said):
            return _missing(error, source, _words(match), destination)
    return error


def _index(error: BuildError) -> NoIndex:
    said = error.output
    status = _STATUS.search(said)
    what = f"answers {status['uv'] or status['pip']}" if status else "does not answer"
    return NoIndex(
        f"the package index {_host(said)}{what}",
        hint="Try again once it does; what was fetched before is kept. Another index is named as "
        "for uv and pip: UV_DEFAULT_INDEX, PIP_INDEX_URL, or [tool.uv] in pyproject.toml.",
        command=error.command,
        output=said,
    )


def _mismatch(error: BuildError, source: str, package: str) -> WrongHash:
    return WrongHash(
        f"{source}: the file of {package} that the index has is not the one that was locked: "
        "its hash differs",
        hint=f"If you expect the new file, renew {source} and look at what changed before you "
        "commit it.",
        command=error.command,
        output=error.output,
    )


def _missing(
    error: BuildError, source: str, package: str, destination: Destination | None
) -> CastoffError:
    if destination is None:
        return BuildError(
            f"{source} asks for {package}, and the index {_host(error.output)}does not have it",
            hint="See that the name is right, and that the index answers and is the one meant: "
            "UV_DEFAULT_INDEX, PIP_INDEX_URL, or [tool.uv] in pyproject.toml.",
            command=error.command,
            output=error.output,
        )
    platform = destination.platform
    if platform is None:
        return BuildError(
            f"{source} locks {package}, and the index {_host(error.output)}does not have it",
            hint="See that the index answers and is the one that the lock was made with, or renew "
            "the lock.",
            command=error.command,
            output=error.output,
        )
    return NoWheel([Missing(package, _wheels(error.output, package))], source, platform)


def _wheels(said: str, package: str) -> tuple[str, ...] | None:
    """Return the tags of the wheels that uv says there are of a package."""
    name = package.partition(" ")[0]
    for match in _OTHER_WHEELS.finditer(said):
        if match["name"] == name:
            return tuple(_QUOTED.findall(match["tags"]))
    no_wheels = f"Wheels are required for `{name}`" in said and "has no usable" in said
    return () if no_wheels else None


def _host(said: str) -> str:
    """Return the index that an installer speaks of and a space, or nothing if it names none."""
    url, pip = _URL.search(said), _PIP_HOST.search(said)
    if url is not None:
        return urlsplit(url[0]).netloc.rpartition("@")[2] + " "
    return "" if pip is None else f"{pip['host']}:{pip['port']} "


def _words(match: re.Match[str]) -> str:
    return f"{match['name']} {match['version']}".strip()
