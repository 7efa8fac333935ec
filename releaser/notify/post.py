"""A POST over HTTP whose URL is a secret: of what fails only the host is named."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import Timeout, Url, make_headers, parse_url

from castoff.releaser.notify.attempt import NotSent, Patience

_OK = range(200, 300)
_MOVED = range(300, 400)
_TOO_MANY = 429
_SERVER = 500

_FAILURES: dict[type[HTTPError], str] = {
    ProxyError: "cannot be reached through the proxy",
    ConnectTimeoutError: "did not answer within {limit:g} s",
    ReadTimeoutError: "did not answer within {limit:g} s",
}


def post(url: str, body: bytes, headers: Mapping[str, str], patience: Patience) -> None:
    """Send a body, once; any answer of 200 to 299 will do.

    It goes nowhere but to that URL: redirects are not followed. A proxy is gone through where the
    usual variables say so (`HTTPS_PROXY`, `NO_PROXY`, …).

    Raises:
        NotSent: It was not taken.
    """
    parts = _parsed(url)
    host = parts.host or ""
    # What came before the @ is the password for this server, and urllib3 does not send it.
    own = make_headers(basic_auth=parts.auth) if parts.auth else {}
    target = Url(parts.scheme, None, parts.host, parts.port, parts.path, parts.query).url
    try:
        with _pool(parts) as pool:
            answer = pool.request(
                "POST",
                target,
                body=body,
                headers={"User-Agent": "castoff", **own, **headers},
                timeout=Timeout(total=max(patience.left, 0.001)),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            status, wait = answer.status, answer.headers.get("Retry-After", "")
            answer.close()
    except HTTPError as error:
        raise NotSent(f"{host} {_why(error, patience)}", again=True) from None
    except (OSError, ValueError) as error:
        # The text of a ValueError may have what it is about in it, which is the header or the URL.
        raise NotSent(f"{host}: {type(error).__name__}") from None
    if status in _OK:
        return
    if status in _MOVED:
        raise NotSent(f"{host} sends elsewhere (status {status}): write the URL that it moved to")
    raise NotSent(
        f"{host} answers with status {status}",
        again=status == _TOO_MANY or status >= _SERVER,
        wait=float(wait) if wait.isdecimal() else 0,
    )


def _parsed(url: str) -> Url:
    try:
        parts = parse_url(url)
    except LocationParseError:
        raise NotSent("its URL cannot be read") from None
    if parts.scheme not in ("http", "https") or not parts.host:
        raise NotSent("its URL is not one of http:// or https://")
    return parts


def _pool(parts: Url) -> urllib3.PoolManager:
    proxy = getproxies().get(parts.scheme or "")
    if proxy and not proxy_bypass(parts.netloc or ""):
        found = parse_url(proxy)
        own = make_headers(proxy_basic_auth=found.auth) if found.auth else None
        return urllib3.ProxyManager(proxy, proxy_headers=own)
    return urllib3.PoolManager()


def _why(error: HTTPError, patience: Patience) -> str:
    """Return what is wrong in our own words: those of the library have the URL in them."""
    if isinstance(error, SSLError):
        return _untrusted(error)
    if isinstance(error, NewConnectionError):
        cause = error.__cause__
        why = cause.strerror if isinstance(cause, OSError) else None
        return f"cannot be reached: {why or 'no connection'}"
    for kind, what in _FAILURES.items():
        if isinstance(error, kind):
            return what.format(limit=patience.limit)
    return "broke the connection off"


def _untrusted(error: SSLError) -> str:
    inner = error.args[0] if error.args else None
    if isinstance(inner, ssl.SSLCertVerificationError):
        return f"has a certificate that is not trusted ({inner.verify_message})"
    return "does not speak TLS as it should"
