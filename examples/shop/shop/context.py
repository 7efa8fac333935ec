"""What every page knows."""

from django.conf import settings
from django.http import HttpRequest

from shop.basket import Basket


def shop(request: HttpRequest) -> dict[str, object]:
    """Return the version that renders the page, and the visitor's basket."""
    return {"version": settings.VERSION or "unreleased", "basket": Basket(request.session)}
