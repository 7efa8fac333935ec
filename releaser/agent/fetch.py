"""Bring the archive to the host from the first source that gives it, whole and unaltered."""

from __future__ import annotations

from .errors import AgentError
from .spool import Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from .manifest import Manifest
    from .messages import Channel
    from .parameters import Parameters

_BLOCK = 256 * 1024


def fetch(
    channel: Channel,
    sources: list[Parameters],
    manifest: Manifest,
    file: BinaryIO,
    report: Callable[[int], None],
) -> BinaryIO:
    """Fill `file`, opened unbuffered, with the archive; return it.

    Args:
        channel: Over which the controller itself may be asked.
        sources: Where to take it from, tried in this order.
        manifest: Names the archive's size and digest.
        file: An empty file.
        report: Called often, with the number of bytes that are here.

    Raises:
        AgentError: `corrupt` if some source gave other bytes, else `fetch`; each source's
            trouble is told. `no-space`, `permission`: it cannot be written here.
        Gone: The controller left.
    """
    spool = Spool(file, manifest.archive_size)
    failures = []
    for source in sources:
        spool.restart()
        try:
            _take(source, channel, spool, report)
            return spool.finish(manifest.archive_sha256)
        except AgentError as failure:
            if failure.code not in ("fetch", "corrupt"):
                raise
            failures.append((failure.code, f"{_name(source)} {failure.message}"))
    raise AgentError(
        "corrupt" if any(code == "corrupt" for code, _ in failures) else "fetch",
        "the archive cannot be had: "
        + ("; ".join(text for _, text in failures) or "no source was given"),
        "See that the host reaches the store, and that the store holds what was pushed.",
    )


def _take(
    source: Parameters, channel: Channel, spool: Spool, report: Callable[[int], None]
) -> None:
    kind = source.text("kind")
    if kind == "file":
        _take_file(source.text("path"), channel, spool, report)
    elif kind == "url":
        from .download import download

        download(source.text("url"), channel, spool, report)
    elif kind == "controller":
        _take_from_controller(channel, spool, report)
    else:
        raise AgentError("invalid", f"an unknown kind of source: {kind!r}")


def _take_file(path: str, channel: Channel, spool: Spool, report: Callable[[int], None]) -> None:
    try:
        file = open(path, "rb")  # noqa: SIM115 (closed below; only opening may fail this way)
    except OSError as error:
        raise AgentError("fetch", f"cannot be opened: {error.strerror}") from error
    with file:
        while spool.left:
            channel.check()
            block = file.read(_BLOCK)
            if not block:
                return
            spool.write(block)
            report(spool.have)


def _take_from_controller(channel: Channel, spool: Spool, report: Callable[[int], None]) -> None:
    channel.event("want", offset=0, length=spool.size)
    trouble: OSError | None = None
    try:
        for block in channel.chunks():
            # What is on its way has to be heard to its end, or the next request is lost in it.
            if trouble is None:
                try:
                    spool.write(block)
                except OSError as error:
                    trouble = error
                report(spool.have)
    except ValueError as error:
        raise AgentError("invalid", "the controller sent something that is no chunk") from error
    if trouble is not None:
        raise trouble


def _name(source: Parameters) -> str:
    kind = source.text("kind")
    if kind == "url":
        from .download import host_of

        return f"the store at {host_of(source.text('url'))}"
    return "the store's file" if kind == "file" else "the controller"
