"""The one stream to a relay, and the channels of all hosts behind it."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from castoff.config.hosts import ResolvedHost
from castoff.releaser.agent.relay import frames
from castoff.releaser.agent.relay.shelf import Shelf
from castoff.releaser.bundle import relay
from castoff.releaser.errors import ChannelClosed, ChannelTimeout, HostUnreachable
from castoff.releaser.patience import now, waited
from castoff.releaser.startup import not_started
from castoff.releaser.transports.base import Channel
from castoff.releaser.transports.relayed import RelayedChannel

_MOST_NOISE = 1024 * 1024
# Seconds after which a relay that takes nothing is given up, and after which its reader looks up.
_STUCK = 30.0


class Link:
    """A relay that has greeted. Its reader is a thread; any number of threads send."""

    def __init__(self, name: str, channel: Channel) -> None:
        self.name = name
        self._channel = channel
        self._numbers = count(1)
        self._sending = threading.Lock()
        # Guards what follows.
        self._lock = threading.Lock()
        self._channels: dict[int, RelayedChannel] = {}
        self._lost = False
        self._closed = False
        self._heard_at = now()
        self._shelf = Shelf()
        self._kept: dict[bytes, int] = {}
        self._reader = threading.Thread(target=self._read, name=f"relay-{name}", daemon=True)

    @classmethod
    def start(cls, host: ResolvedHost, channel: Channel, *, timeout: float) -> Link:
        """Send the relay to a host whose bootstrap waits for it.

        Raises:
            HostUnreachable: It does not start there.
        """
        deadline = now() + timeout
        source = relay()
        heard = bytearray()
        try:
            channel.send(f"{len(source)}\n".encode() + source, timeout=_left(deadline))
            while not _greeted(host, heard):
                heard += channel.receive(timeout=_left(deadline))
        except ChannelTimeout as error:
            channel.close()
            raise HostUnreachable(host.name, "no answer in time", code="timeout") from error
        except ChannelClosed as error:
            said = not_started(host, heard.decode(errors="replace"), channel.complaints())
            channel.close()
            raise said from error
        except BaseException:
            channel.close()
            raise
        link = cls(host.name, channel)
        link._reader.start()
        return link

    @property
    def alive(self) -> bool:
        """Whether other hosts may be reached through it."""
        return not self._lost

    def has_spoken_since(self, time: float) -> bool:
        """Whether the relay has said anything of any host since a time by `patience.now`."""
        return self._heard_at > time

    def open(self, opening: dict[str, object], *, timeout: float) -> RelayedChannel:
        """Let the relay start an ssh; the channel says how that goes.

        Raises:
            ChannelClosed: The relay is gone.
            ChannelTimeout: It takes nothing.
        """
        channel = RelayedChannel(self, next(self._numbers))
        with self._lock:
            if self._lost:
                raise ChannelClosed
            self._channels[channel.number] = channel
        try:
            self.send(frames.OPEN, channel.number, json.dumps(opening).encode(), timeout=timeout)
        except BaseException:
            self.forget(channel)
            raise
        return channel

    def send(self, kind: int, number: int, body: bytes = b"", *, timeout: float) -> None:
        """Send a frame.

        Raises:
            ChannelClosed: The relay is gone.
            ChannelTimeout: It is not this thread's turn in time.
        """
        with self._turn(timeout):
            self._send(frames.frame(kind, number, body))

    def send_data(self, number: int, block: bytes, *, timeout: float) -> None:
        """Send a block to a host's command; one that another host was sent goes as its number.

        Raises:
            ChannelClosed: The relay is gone.
            ChannelTimeout: It is not this thread's turn in time.
        """
        if len(block) < frames.LEAST_KEPT:
            self.send(frames.DATA, number, block, timeout=timeout)
            return
        digest = hashlib.sha256(block).digest()
        # Both ends count what is kept in the order of the frames.
        with self._turn(timeout):
            known = self._kept.get(digest)
            if known is not None:
                self._send(frames.frame(frames.AGAIN, number, frames.number(known)))
                return
            self._send(frames.frame(frames.KEEP, number, block))
            self._kept[digest], fallen = self._shelf.put(digest, len(block))
            for one in fallen:
                self._kept.pop(one, None)

    def forget(self, channel: RelayedChannel) -> None:
        """Pass nothing more on to a channel."""
        with self._lock:
            self._channels.pop(channel.number, None)

    def close(self) -> None:
        """Let go of the relay, which then ends; never raises."""
        self._closed = True
        self._lose("closed")
        if threading.current_thread() is not self._reader:
            self._reader.join(timeout=1)

    @contextmanager
    def _turn(self, timeout: float) -> Iterator[None]:
        """Be the thread that sends.

        Raises:
            ChannelTimeout: Others are at it all the time.
        """
        if not waited(lambda left: self._sending.acquire(timeout=left), until=now() + timeout):
            raise ChannelTimeout
        try:
            yield
        finally:
            self._sending.release()

    def _send(self, data: bytes) -> None:
        if self._lost:
            raise ChannelClosed
        try:
            self._channel.send(data, timeout=_STUCK)
        except (ChannelClosed, ChannelTimeout) as error:
            # A part of the frame may be under way: nothing can follow it.
            self._lose("it takes nothing more")
            raise ChannelClosed from error

    def _read(self) -> None:
        heard = frames.Frames()
        while not self._lost:
            try:
                data = self._channel.receive(timeout=_STUCK)
            except ChannelTimeout:
                continue
            except ChannelClosed:
                said = "" if self._closed else self._channel.complaints()
                self._lose(said)
                return
            self._heard_at = now()
            try:
                for kind, number, body in heard.feed(data):
                    with self._lock:
                        channel = self._channels.get(number)
                    if channel is not None:
                        channel.hear(kind, body)
            except ValueError:
                self._lose("it says something else than a relay does")

    def _lose(self, why: str) -> None:
        with self._lock:
            if self._lost:
                return
            self._lost = True
            channels = list(self._channels.values())
        for channel in channels:
            channel.lose(f"the relay {self.name} is gone" + (f": {why}" if why else ""))
        self._channel.close()


def _greeted(host: ResolvedHost, heard: bytearray) -> bool:
    """Whether the relay's greeting is there, maybe after what a login shell prints."""
    for line in heard.split(b"\n")[:-1]:
        try:
            message = json.loads(line)
        except ValueError:
            continue
        if not isinstance(message, dict) or message.get("castoff-relay") != frames.PROTOCOL:
            continue
        if message.get("error"):
            raise HostUnreachable(host.name, str(message["error"]), code="relay")
        return True
    if len(heard) > _MOST_NOISE:
        raise HostUnreachable(host.name, "the login shell prints without end", code="relay")
    return False


def _left(deadline: float) -> float:
    return max(deadline - now(), 0.001)
