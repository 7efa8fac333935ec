"""Remove keys of a Redis, spoken to in its own protocol (https://redis.io/docs/latest/develop/reference/protocol-spec/).

Few lines, and no program has to be on the host: `redis-cli` would take the password as an argument
or a variable, and has no way to remove by prefix.
"""

from __future__ import annotations

import re
import urllib.parse

from ..errors import AgentError
from .plain_socket import PlainSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..parameters import Parameters
    from .errand import Errand

_PORT = 6379
# How many keys a server looks at in one turn, during which it does nothing else.
_TURN = 1000
_GLOB = re.compile(rb"([*?\[\]\\])")
_FLUSHES = {"database": b"FLUSHDB", "server": b"FLUSHALL"}


class _Refused(Exception):
    """The server answered with an error."""


def clear_redis(errand: Errand, options: Parameters) -> str:
    """Remove all keys with a prefix, or all of the database or the server if that is asked for.

    Raises:
        AgentError: `step-failed`, `step-timeout`; `invalid`: the URL cannot be used.
    """
    url = _parsed(options.text("url"))
    prefix, flush = options.text_or_none("prefix"), options.text_or_none("flush")
    name = f"Redis at {url.hostname or ''}:{url.port or _PORT}"
    place: tuple[str, int] | str = (url.hostname or "127.0.0.1", url.port or _PORT)
    if url.scheme == "unix":
        name, place = f"Redis at {url.path}", url.path
    with PlainSocket(errand, name, place, tls=url.scheme == "rediss") as server:
        try:
            _enter(server, url, options.text_or_none("password"))
            if flush is not None:
                _ask(server, _FLUSHES[options.choice("flush", tuple(_FLUSHES))])
                did = f"the {flush} is empty"
            else:
                did = f"{_remove(server, (prefix or '').encode())} keys removed"
        except _Refused as error:
            raise errand.failed(f"{name} says: {error}") from None
    return f"{name}: {did}"


def _enter(server: PlainSocket, url: urllib.parse.SplitResult, password: str | None) -> None:
    if password is None and url.password is not None:
        password = urllib.parse.unquote(url.password)
    if password is not None:
        words = [urllib.parse.unquote(url.username)] if url.username else []
        _ask(server, b"AUTH", *(word.encode() for word in (*words, password)))
    database = url.path.strip("/")
    if url.scheme == "unix":
        database = dict(urllib.parse.parse_qsl(url.query)).get("db", "")
    if database:
        _ask(server, b"SELECT", database.encode())


def _remove(server: PlainSocket, prefix: bytes) -> int:
    """Remove in small turns, as SCAN goes: what is there all the time is found."""
    if not prefix:
        raise AgentError("invalid", "no prefix of keys to remove")
    pattern = _GLOB.sub(rb"\\\1", prefix) + b"*"
    cursor, removed = b"0", 0
    remove = b"UNLINK"
    while True:
        cursor, keys = _ask(server, b"SCAN", cursor, b"MATCH", pattern, b"COUNT", b"%d" % _TURN)
        if keys:
            try:
                removed += _ask(server, remove, *keys)
            except _Refused as error:
                if remove != b"UNLINK" or "unknown command" not in str(error):
                    raise
                # Before Redis 4.
                remove = b"DEL"
                removed += _ask(server, remove, *keys)
        if cursor == b"0":
            return removed


def _ask(server: PlainSocket, *words: bytes) -> Any:
    lengths = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
    server.send(b"*%d\r\n%s" % (len(words), lengths))
    return _reply(server)


def _reply(server: PlainSocket) -> Any:
    line = server.line()
    kind, text = line[:1], line[1:]
    if kind == b"-":
        raise _Refused(text.decode("utf-8", "replace"))
    if kind == b"+":
        return text
    try:
        number = int(text)
    except ValueError:
        raise _Refused("something that is not its protocol") from None
    if kind == b":":
        return number
    if kind == b"$":
        return None if number < 0 else server.block(number)
    if kind == b"*":
        return [_reply(server) for _ in range(number)]
    raise _Refused("something that is not its protocol")


def _parsed(text: str) -> urllib.parse.SplitResult:
    try:
        url = urllib.parse.urlsplit(text)
        if url.scheme in ("redis", "rediss", "unix") and url.port != 0:
            return url
    except ValueError:
        pass
    # It may hold a password, so it is not shown.
    raise AgentError("invalid", "the URL of a Redis cannot be used", "As in redis://localhost/0")
