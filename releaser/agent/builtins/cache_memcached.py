"""Let a memcached forget everything (https://github.com/memcached/memcached/blob/master/doc/protocol.txt)."""

from __future__ import annotations

from .plain_socket import PlainSocket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .errand import Errand


def clear_memcached(errand: Errand, address: str) -> str:
    """Flush it all: it knows no prefixes. Debian brings no program that speaks to it.

    Raises:
        AgentError: `step-failed`, `step-timeout`.
    """
    place: tuple[str, int] | str = address
    if not address.startswith("/"):
        host, _, port = address.rpartition(":")
        if not port.isdigit():
            raise errand.failed(f"not the address of a memcached: {address!r}")
        place = (host.strip("[]"), int(port))
    name = f"memcached at {address}"
    with PlainSocket(errand, name, place) as server:
        server.send(b"flush_all\r\n")
        said = server.line()
    if said != b"OK":
        raise errand.failed(f"{name} says: {said.decode('utf-8', 'replace')}")
    return f"{name} is empty"
