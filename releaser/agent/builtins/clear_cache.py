"""Clear a cache that would go on handing out what the release before had put there."""

from __future__ import annotations

from ..http_check import HttpCheck
from .errand import Errand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..layout import Layout
    from ..messages import Channel
    from ..parameters import Parameters


def perform(layout: Layout, channel: Channel, parameters: Parameters) -> dict[str, Any]:
    """Clear what the step's table names.

    Raises:
        AgentError: `step-failed`, `step-timeout`, `unhealthy` (of a URL), `missing`, `invalid`.
    """
    options = parameters.part("options")
    errand = Errand(layout, channel, parameters)
    told = _clear(errand, options)
    if told:
        errand.say(told)
    return {"seconds": errand.deadline.spent}


# One branch a kind, each with its own import.


def _clear(errand: Errand, options: Parameters) -> str:
    """Clear the one cache that is named; return what was done, for people."""
    table = options.within("redis")
    if table is not None:
        from .cache_redis import clear_redis

        return clear_redis(errand, table)
    address = options.text_or_none("memcached")
    if address is not None:
        from .cache_memcached import clear_memcached

        return clear_memcached(errand, address)
    table = options.within("nginx")
    if table is not None:
        from .cache_nginx import clear_nginx

        return clear_nginx(errand, table)
    table = options.within("varnish")
    if table is not None:
        from .cache_varnish import clear_varnish

        return clear_varnish(errand, table)
    table = options.within("django")
    if table is not None:
        from .cache_django import clear_django

        return clear_django(errand, table)
    table = options.within("url")
    return "" if table is None else _request(errand, table)


def _request(errand: Errand, options: Parameters) -> str:
    check = HttpCheck(options)
    wrong = check.wrong(errand.deadline.at)
    if wrong is not None:
        raise errand.failed(f"{check.name}: {wrong}", "See the log of what answers there.")
    return ""
