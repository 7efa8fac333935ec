"""Pages."""

from django.core.cache import cache
from django.core.cache.utils import make_template_fragment_key
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from shop.basket import Basket
from shop.forms import ProductForm
from shop.models import Product


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """All that is sold. The template keeps the list in the cache, and only then is it asked for."""
    return render(request, "shop/catalogue.html", {"products": Product.objects.all()})


def product(request: HttpRequest, number: int) -> HttpResponse:
    """One product; a POST puts it into the basket."""
    found = get_object_or_404(Product, pk=number)
    if request.method == "POST":
        Basket(request.session).add(found)
        return redirect("basket")
    return render(request, "shop/product.html", {"product": found})


def basket(request: HttpRequest) -> HttpResponse:
    """What the visitor has taken; a POST empties it."""
    taken = Basket(request.session)
    if request.method == "POST":
        taken.empty()
    lines = list(taken.lines())
    total = sum(line.price for line in lines)
    return render(request, "shop/basket.html", {"lines": lines, "total": total})


def add_product(request: HttpRequest) -> HttpResponse:
    """The form for a new product, which takes its photo."""
    form = ProductForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        made = form.save()
        cache.delete(make_template_fragment_key("catalogue"))
        return redirect("product", made.pk)
    return render(request, "shop/new.html", {"form": form})
