from django.shortcuts import render
from django.urls import path

urlpatterns = [
    path("", lambda request: render(request, "shop.html", {"page": "first"})),
    path("second/", lambda request: render(request, "shop.html", {"page": "second"})),
]
