"""What a release's health check asks for."""

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from redis.exceptions import RedisError


@never_cache
def health(request: HttpRequest) -> JsonResponse:
    """Say which version this process is of, and whether what it needs is there."""
    del request
    parts = {"database": _database(), "cache": _cache()}
    status = 200 if all(parts.values()) else 503
    return JsonResponse({"version": settings.VERSION, **parts}, status=status)


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM shop_product LIMIT 1")
    except DatabaseError:
        return False
    return True


def _cache() -> bool:
    try:
        cache.set("health", settings.VERSION, timeout=1)
    except RedisError:
        return False
    return True
