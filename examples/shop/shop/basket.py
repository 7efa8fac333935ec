"""What a visitor has taken: a number for each product, kept in the session."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.contrib.sessions.backends.base import SessionBase

from shop.models import Product

_KEY = "basket"


@dataclass(frozen=True)
class Line:
    """So many of a product."""

    product: Product
    count: int

    @property
    def price(self) -> Decimal:
        return self.product.price * self.count


class Basket:
    """A visitor's basket."""

    def __init__(self, session: SessionBase) -> None:
        self._session = session

    def __len__(self) -> int:
        return sum(self._counts().values())

    def add(self, product: Product) -> None:
        """Put one more of a product into it."""
        counts = self._counts()
        number = str(product.pk)
        self._session[_KEY] = {**counts, number: counts.get(number, 0) + 1}

    def empty(self) -> None:
        """Take everything out."""
        self._session.pop(_KEY, None)

    def lines(self) -> Iterator[Line]:
        """Yield what is in it, but for products that are no longer sold."""
        counts = self._counts()
        for product in Product.objects.filter(pk__in=counts):
            yield Line(product, counts[str(product.pk)])

    def _counts(self) -> dict[str, int]:
        return self._session.get(_KEY, {})
