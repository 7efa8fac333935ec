"""One request and its answer on a connection of their own, by HTTP/1.1 (RFC 9110, RFC 9112).

`http.client` would do, but loads a parser of mail and OpenSSL for every health check: that takes
longer than all else between the flip and the first answer, for which a host is not known to serve.
"""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

_BLOCK = 65_536
_MOST_HEAD = 256 * 1024
_MOST_LINE = 1024
# Python makes no number of thousands of digits.
_MOST_DIGITS = 18
_CONTINUE, _SWITCHING, _OK = 100, 101, 200
_EMPTY = (204, 304)
_STATUSES = range(100, 1000)
_WITH_BODY = ("POST", "PUT", "PATCH")


class NotHttp(Exception):
    """What came is no answer in HTTP; the text says why."""


class Answer:
    """An answer.

    Attributes:
        status: Its code.
        body: As much of its body as was wanted.
    """

    def __init__(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.status = status
        self.body = b""
        self._headers = headers

    def header(self, name: str) -> str | None:
        """Return a header's value, those of several joined by commas; None where there is none."""
        values = [value for key, value in self._headers if key == name.lower()]
        return ", ".join(values) if values else None


def request_of(method: str, target: str, host: str, headers: dict[str, str]) -> bytes:
    """Return the bytes of a request without a body.

    Raises:
        ValueError: A header holds what would end its line, or cannot be said in a header.
    """
    fields = {"Host": host, "Accept-Encoding": "identity"}
    if method in _WITH_BODY:
        fields["Content-Length"] = "0"
    given = {name.lower() for name in headers}
    fields = {**{key: fields[key] for key in fields if key.lower() not in given}, **headers}
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {fields[name]}" for name in fields)]
    if any(end in line for line in lines for end in "\r\n\0"):
        raise ValueError("a header of more than one line")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def exchange(
    connection: socket.socket, request: bytes, *, method: str, until: float, most: int
) -> Answer:
    """Send a request and return its answer.

    Args:
        connection: Used for this alone; the caller closes it.
        request: From `request_of`.
        method: That of the request; the answer to HEAD has no body.
        until: When it must all be here, by `time.monotonic()`.
        most: After how many bytes to leave the rest of the body.

    Raises:
        NotHttp: What came is not HTTP, or breaks off.
        OSError: The connection failed, or the time is up (`socket.timeout`).
    """
    source = _Source(connection, until)
    source.patience()
    connection.sendall(request)
    answer = _head(source)
    while _CONTINUE <= answer.status < _OK and answer.status != _SWITCHING:
        answer = _head(source)
    if method == "HEAD" or answer.status < _OK or answer.status in _EMPTY:
        return answer
    if (answer.header("transfer-encoding") or "").lower() == "chunked":
        answer.body = _chunks(source, most)
    else:
        length = answer.header("content-length") or ""
        sized = _is_number(length) and len(length) <= _MOST_DIGITS
        answer.body = source.take(min(int(length), most) if sized else most)
    return answer


class _Source:
    """What comes, and how long it may take."""

    def __init__(self, connection: socket.socket, until: float) -> None:
        self._connection = connection
        self._until = until
        self._heard = bytearray()
        self._begun = False

    def patience(self) -> None:
        """Let the next call wait as long as is left.

        Raises:
            OSError: Nothing is (`socket.timeout`).
        """
        left = self._until - time.monotonic()
        if left <= 0:
            import socket

            raise socket.timeout
        self._connection.settimeout(left)

    def line(self, most: int) -> bytes:
        """Return the next line without its end.

        Raises:
            NotHttp: It is longer than `most`, or breaks off.
        """
        while (end := self._heard.find(b"\n")) < 0:
            if len(self._heard) > most:
                raise NotHttp("a line without end")
            if not self._hear():
                raise NotHttp("it breaks off" if self._begun else "nothing came")
        line = bytes(self._heard[:end])
        del self._heard[: end + 1]
        return line[:-1] if line.endswith(b"\r") else line

    def take(self, count: int) -> bytes:
        """Return so many bytes; fewer only where nothing follows."""
        while len(self._heard) < count and self._hear():
            pass
        data = bytes(self._heard[:count])
        del self._heard[:count]
        return data

    def _hear(self) -> bool:
        self.patience()
        data = self._connection.recv(_BLOCK)
        self._heard += data
        self._begun = self._begun or bool(data)
        return bool(data)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _head(source: _Source) -> Answer:
    version, _, rest = source.line(_MOST_HEAD).decode("latin-1").partition(" ")
    code = rest.lstrip(" ").partition(" ")[0]
    # Of one server and another the reason after the code is missing, and the space before it.
    if not version.startswith("HTTP/") or not _is_number(code) or len(code) > _MOST_DIGITS:
        raise NotHttp("no status line")
    if int(code) not in _STATUSES:
        raise NotHttp("no status line")
    headers: list[tuple[str, str]] = []
    size = 0
    while line := source.line(_MOST_HEAD).decode("latin-1"):
        size += len(line)
        if size > _MOST_HEAD:
            raise NotHttp("headers without end")
        name, _, value = line.partition(":")
        if line[0] in " \t" and headers:
            # Folded, as RFC 9112 still has to know.
            headers[-1] = (headers[-1][0], f"{headers[-1][1]} {line.strip()}")
        else:
            headers.append((name.strip().lower(), value.strip(" \t")))
    return Answer(int(code), headers)


def _chunks(source: _Source, most: int) -> bytes:
    body = bytearray()
    while len(body) < most:
        try:
            size = int(source.line(_MOST_LINE).partition(b";")[0], 16)
        except ValueError:
            raise NotHttp("a part of no size") from None
        if size <= 0:
            break
        wanted = min(size, most - len(body))
        part = source.take(wanted)
        body += part
        if len(part) < wanted:
            raise NotHttp("it breaks off")
        if wanted == size:
            source.line(_MOST_LINE)
    return bytes(body)
