"""What castoff.toml says of a step that clears a cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import StringConstraints, model_validator

from castoff.config import rules
from castoff.config.errors import Misfit
from castoff.config.http_step import Request
from castoff.config.table import Address, Name, Table, Text

_CACHES = ("django", "redis", "memcached", "nginx", "varnish", "url")


class DjangoCache(Table):
    """`[environments.E.steps.clear_cache.django]`: a cache of Django's settings."""

    alias: Name = "default"
    # Module of the settings; default: DJANGO_SETTINGS_MODULE, or what the app's manage.py says.
    settings: Text | None = None


class RedisCache(Table):
    """`[environments.E.steps.clear_cache.redis]`: keys of a Redis, or of what speaks like one."""

    # redis://[user:password@]host[:port][/database], rediss:// or unix:///path[?db=N].
    url: Annotated[str, StringConstraints(pattern=r"^(rediss?|unix)://\S+$")]
    # As it is, where the URL holds none: best {NAME}, a secret of the step.
    password: Text | None = None
    # What the keys begin with that are removed.
    prefix: Text | None = None
    # Removes all keys, of the database or of the server.
    flush: Literal["database", "server"] | None = None

    @model_validator(mode="after")
    def _says_which_keys(self) -> RedisCache:
        rules.require(rules.one_of(self, "prefix", "flush"))
        return self


class NginxCache(Table):
    """`[environments.E.steps.clear_cache.nginx]`: files of a cache of nginx (proxy_cache_path)."""

    folder: Annotated[str, StringConstraints(pattern=r"^/[^\x00]+$")]
    # What the cache keys begin with that are forgotten; default: all.
    prefix: Text | None = None


class VarnishCache(Table):
    """`[environments.E.steps.clear_cache.varnish]`: a ban, by varnishadm."""

    # Which objects are banned (vcl(7)); the default is all.
    ban: Text = "obj.status != 0"
    # Name of the instance (-n); default: that of this host.
    instance: Text | None = None
    # Address of its management port (-T), and the file with its secret (-S).
    address: Address | None = None
    secret_file: Text | None = None


class ClearCache(Table):
    """`[environments.E.steps.clear_cache]`: a cache, and what of it is cleared."""

    django: DjangoCache | None = None
    redis: RedisCache | None = None
    # "host:port", or the path of a unix socket; all of it is cleared.
    memcached: Annotated[str, StringConstraints(pattern=r"^(/.+|\S+:[^\s:/]+)$")] | None = None
    nginx: NginxCache | None = None
    varnish: VarnishCache | None = None
    # A request that clears it, such as PURGE.
    url: Request | None = None

    @model_validator(mode="after")
    def _clears_one(self) -> ClearCache:
        rules.require(_caches(self))
        return self


def _caches(table: ClearCache) -> Iterator[Misfit]:
    if sum(getattr(table, key) is not None for key in _CACHES) != 1:
        names = ", ".join(repr(key) for key in _CACHES[:-1])
        yield Misfit((), f"needs just one of {names} and {_CACHES[-1]!r}")
