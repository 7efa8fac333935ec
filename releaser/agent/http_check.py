"""One request over HTTP, made on the host itself, and whether its answer is what it should be."""

from __future__ import annotations

import json
import socket
import time
import urllib.parse

from .errors import AgentError
from .http_exchange import Answer, NotHttp, exchange, request_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ssl
    from typing import Any

    from .parameters import Parameters

# Seconds for one wait within a try, and for a whole try.
_PATIENCE = 5.0
_MOST_BODY = 1024 * 1024
_MOST_SHOWN = 80
_PORTS = {"http": 80, "https": 443}
SILENCE = "no answer in time"


class HttpCheck:
    """A request and what its answer must be.

    Attributes:
        name: Where it goes, for people; without the query, which may hold a secret.
    """

    def __init__(self, options: Parameters) -> None:
        """Take the table of such a step; what is left out of it is not asked for.

        Raises:
            AgentError: `invalid`: the URL or the file of authorities cannot be used.
        """
        self._url = _checked(options.text("url"))
        self._method = options.text_or_none("method") or "GET"
        self._request = _request(self._method, self._url, options)
        self._connect = options.text_or_none("connect")
        self._unix = options.text_or_none("unix")
        self._status = options.whole("status")
        self._contains = options.text_or_none("contains")
        self._headers = options.variables_or_none("headers")
        self._fields: dict[str, Any] = options.get("json_fields") or {}
        self._tls = None
        if self._url.scheme == "https":
            self._tls = _tls(options.text_or_none("ca"), verify=options.get("verify") is not False)
        where = self._unix or self._connect or f"{self._url.hostname}:{_port(self._url)}"
        self.name = f"{where}{':' if self._unix else ''}{self._url.path}"

    def wrong(self, deadline: float) -> str | None:
        """Ask once, until `deadline` (`time.monotonic()`) at most; return what is wrong, or None.

        Redirects are not followed: a status of 302 is right only if 302 is what is wanted. No
        proxy is used.
        """
        until = min(time.monotonic() + _PATIENCE, deadline)
        try:
            connection = self._socket(max(until - time.monotonic(), 0.05))
            try:
                answer = exchange(
                    connection, self._request, method=self._method, until=until, most=_MOST_BODY
                )
            finally:
                connection.close()
        except NotHttp as error:
            return f"not an HTTP answer ({error})"
        except UnicodeError:
            return f"{self._url.hostname} is no host name"
        except OSError as error:
            return getattr(error, "verify_message", None) or error.strerror or SILENCE
        return self._judge(answer)

    def _socket(self, patience: float) -> socket.socket:
        if self._unix is not None:
            plain = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        else:
            place = (self._url.hostname or "", _port(self._url))
            if self._connect is not None:
                host, _, port = self._connect.rpartition(":")
                place = (host.strip("[]"), int(port))
            plain = socket.create_connection(place, patience)
        try:
            plain.settimeout(patience)
            if self._unix is not None:
                plain.connect(self._unix)
            if self._tls is None:
                return plain
            return self._tls.wrap_socket(plain, server_hostname=self._url.hostname)
        except BaseException:
            plain.close()
            raise

    def _judge(self, response: Answer) -> str | None:
        if response.status != self._status:
            return f"status {response.status} instead of {self._status}"
        if self._contains is not None and self._contains.encode() not in response.body:
            return f"status {response.status} but the body lacks {self._contains!r}"
        for name, wanted in self._headers.items():
            seen = response.header(name)
            if seen != wanted:
                return f"header {name} is {_shown(seen)} instead of {wanted!r}"
        return _wrong_field(response.body, self._fields) if self._fields else None


def _wrong_field(body: bytes, fields: dict[str, Any]) -> str | None:
    try:
        document = json.loads(body)
    except ValueError:
        return "the body is not JSON"
    for path, wanted in fields.items():
        seen = document
        for key in path.split("."):
            try:
                seen = seen[int(key)] if isinstance(seen, list) else seen[key]
            except (LookupError, TypeError, ValueError):
                return f"the body has no field {path!r}"
        # True is 1 to Python, and not to JSON.
        if seen != wanted or isinstance(seen, bool) is not isinstance(wanted, bool):
            return f"field {path!r} is {_shown(seen)} instead of {wanted!r}"
    return None


def _shown(value: object) -> str:
    text = "not there" if value is None else repr(value)
    return text if len(text) <= _MOST_SHOWN else text[: _MOST_SHOWN - 1] + "…"


def _tls(ca: str | None, *, verify: bool) -> ssl.SSLContext:
    import ssl

    try:
        context = ssl.create_default_context(cafile=ca)
    except OSError as error:
        raise AgentError(
            "invalid",
            f"the certificates in {ca} cannot be used: {error.strerror or error}",
            "The step's `ca` is a file on the host, in PEM.",
        ) from error
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _request(method: str, url: urllib.parse.SplitResult, options: Parameters) -> bytes:
    sent = {"User-Agent": "castoff-health", **options.variables_or_none("request_headers")}
    host = url.hostname or ""
    host = f"[{host}]" if ":" in host else host
    # The port that needs not be said is that of the scheme.
    host += "" if _port(url) == _PORTS[url.scheme] else f":{_port(url)}"
    try:
        return request_of(method, _target(url), host, sent)
    except ValueError:
        raise AgentError("invalid", "a header of a health check cannot be sent") from None


def _target(url: urllib.parse.SplitResult) -> str:
    return (url.path or "/") + (f"?{url.query}" if url.query else "")


def _port(url: urllib.parse.SplitResult) -> int:
    return url.port or _PORTS[url.scheme]


def _checked(text: str) -> urllib.parse.SplitResult:
    try:
        url = urllib.parse.urlsplit(text)
        usable = url.scheme in ("http", "https") and url.hostname and url.port != 0
        printable = text.isascii() and text.isprintable() and " " not in text
    except ValueError:
        usable = printable = False
    if not usable or not printable:
        raise AgentError("invalid", "a health check's URL cannot be used")
    return url
