"""Bring what is lacking of an archive to the host, from whatever sources give it unaltered."""

from __future__ import annotations

from .errors import AgentError
from .flow import Flow
from .pace import Pace
from .progress import Progress
from .ranges import GAP, REQUEST, NoRanges, Range, size_of, worthwhile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .arrivals import Arrivals
    from .messages import Channel
    from .parameters import Parameters

_BLOCK = 256 * 1024
# Bytes of an archive that is asked for by parts even where all of it is lacking: over several
# connections it comes sooner than over one where the way is long.
_LARGE = 16 * 1024 * 1024


def fetch(
    channel: Channel,
    sources: list[Parameters],
    arrivals: Arrivals,
    size: int,
    pace: Pace | None = None,
) -> None:
    """Fetch all members that are left.

    What a source does not give, or gives wrongly, the next one is asked for, and for nothing
    else. Where none has given all by parts, each is asked for the whole archive: there are
    servers and proxies that can do only that.

    Args:
        channel: Over which the controller itself may be asked.
        sources: Where to take it from, tried in this order.
        arrivals: Knows what is left.
        size: Of the archive, in bytes.
        pace: How fast it may come by URL; None for as fast as it can.

    Raises:
        AgentError: `corrupt` if some source gave other bytes, else `fetch`; each source's
            trouble is told. `no-space`, `permission`: it cannot be written here.
        Gone: The controller left.
    """
    flow = Flow(channel, arrivals, pace or Pace(0))
    failures: dict[int, AgentError] = {}
    in_parts = []
    for number, source in enumerate(sources):
        large = size >= _LARGE and source.text("kind") == "url"
        if source.text("kind") != "peer" and (large or _in_parts(arrivals, size)):
            in_parts.append(number)
        _try(_Source(flow, source, size), number, failures, whole=False)
    for number in in_parts:
        _try(_Source(flow, sources[number], size), number, failures, whole=True)
    if arrivals.complete:
        return
    told = (f"{_name(sources[number])} {failures[number].message}" for number in sorted(failures))
    corrupt = any(failure.code == "corrupt" for failure in failures.values())
    what = channel.about or "archive"
    raise AgentError(
        "corrupt" if corrupt else "fetch",
        f"the {what} cannot be had: {'; '.join(told) or 'no source was given'}",
        "See that the host reaches the store, and that the store holds what was pushed.",
    )


def _in_parts(arrivals: Arrivals, size: int) -> bool:
    """Whether parts cost less than the whole archive.

    The whole is a request, too. Where nothing is here yet that is left out of account: it is what
    every server and proxy can do.
    """
    return worthwhile(arrivals.wanted(), size + REQUEST if arrivals.begun else size)


def _try(source: _Source, number: int, failures: dict[int, AgentError], *, whole: bool) -> None:
    """Take in what a source gives; note its failure, if that is one that another may mend."""
    try:
        source.give(whole=whole)
    except AgentError as failure:
        if failure.code not in ("fetch", "corrupt"):
            raise
        failures[number] = failure


class _Source:
    """One place that archives come from."""

    def __init__(self, flow: Flow, source: Parameters, size: int) -> None:
        self._flow = flow
        self._channel = flow.channel
        self._source = source
        self._arrivals = flow.arrivals
        self._size = size

    def give(self, *, whole: bool) -> None:
        """Take in what is left.

        Args:
            whole: Whether a server is asked for all of the archive even where parts cost less.

        Raises:
            AgentError: `fetch`, `corrupt`: it does not give all that it should.
        """
        if self._arrivals.complete:
            return
        self._arrivals.turn()
        ranges = self._arrivals.wanted()
        if self._source.text("kind") == "peer":
            self._expect(ranges)
            self._take_from_peer()
            return
        kind = self._source.text("kind")
        parts = _in_parts(self._arrivals, self._size)
        if not parts:
            ranges = [Range(0, self._size)]
        self._expect(ranges)
        if kind == "url":
            large = self._size >= _LARGE
            self._take_url(self._source.text("url"), parts, whole=whole or not (parts or large))
            return
        before = self._arrivals.fetched
        if kind == "file":
            self._take_file(self._source.text("path"), ranges)
        elif kind == "controller":
            for wanted in ranges:
                # More may have come than was asked for here.
                if not self._arrivals.complete:
                    self._take_from_controller(wanted)
        else:
            raise AgentError("invalid", f"an unknown kind of source: {kind!r}")
        if not self._arrivals.complete:
            came = self._arrivals.fetched - before
            raise AgentError("fetch", f"gave only {came} of {size_of(ranges)} bytes")

    def _expect(self, ranges: list[Range]) -> None:
        total = self._arrivals.fetched + size_of(ranges)
        self._arrivals.report = Progress(self._channel, "fetch", total)

    def _take_url(self, url: str, parts: bool, *, whole: bool) -> None:
        if not whole:
            from .range_download import download_ranges

            try:
                download_ranges(url, self._flow, GAP if parts else self._size)
            except NoRanges:
                self._expect([Range(0, self._size)])
                self._arrivals.turn()
            else:
                return
        from .download import download

        download(url, self._flow, self._size)

    def _take_from_peer(self) -> None:
        from .peer import Siblings, take_from_peer
        from .peer_server import ARCHIVE, of_patch

        before = self._arrivals.fetched
        try:
            # What goes between neighbours is not what the rate is about.
            flow = Flow(self._channel, self._arrivals, Pace(0))
            patch = self._source.text_or_none("patch")
            what = of_patch(patch) if patch else self._channel.about or ARCHIVE
            siblings = self._channel.siblings = self._channel.siblings or Siblings()
            take_from_peer(self._source, flow, what, siblings)
        finally:
            self._arrivals.from_peers += self._arrivals.fetched - before

    def _take_file(self, path: str, ranges: list[Range]) -> None:
        try:
            file = open(path, "rb")  # noqa: SIM115 (closed below; only opening may fail this way)
        except OSError as error:
            raise AgentError("fetch", f"cannot be opened: {error.strerror}") from error
        with file:
            for start, end in ranges:
                position = start
                file.seek(position)
                while position < end:
                    self._channel.check()
                    block = file.read(min(_BLOCK, end - position))
                    if not block:
                        return
                    self._arrivals.write(position, block)
                    position += len(block)

    def _take_from_controller(self, wanted: Range) -> None:
        trouble: OSError | AgentError | None = None
        try:
            for start, end in self._channel.want(wanted.start, wanted.end):
                position = start
                for block in self._channel.chunks():
                    # What is on its way has to be heard to its end, or the next request is lost.
                    if trouble is None:
                        try:
                            self._arrivals.write(position, block[: end - position])
                        except (OSError, AgentError) as error:
                            trouble = error
                    position = min(position + len(block), end)
        except ValueError as error:
            raise AgentError("invalid", "the controller sent something that is no chunk") from error
        if trouble is not None:
            raise trouble


def _name(source: Parameters) -> str:
    kind = source.text("kind")
    if kind == "peer":
        return f"the peer {source.text('name')}"
    if kind == "url":
        from .download import host_of

        return f"the store at {host_of(source.text('url'))}"
    return "the store's file" if kind == "file" else "the controller"
