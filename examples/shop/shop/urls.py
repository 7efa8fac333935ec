"""Addresses."""

from django.conf import settings
from django.conf.urls.static import static
from django.urls import path

from shop import health, views

urlpatterns = [
    path("", views.catalogue, name="catalogue"),
    path("products/new/", views.add_product, name="new"),
    path("products/<int:number>/", views.product, name="product"),
    path("basket/", views.basket, name="basket"),
    path("health", health.health),
    # For developing; in a release nginx serves these files, and this is nothing.
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
