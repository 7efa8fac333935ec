"""Forms."""

from django import forms

from shop.models import Product


class ProductForm(forms.ModelForm):
    """A new product, with a photo of it."""

    class Meta:
        model = Product
        fields = ("name", "price", "photo", "availability")
