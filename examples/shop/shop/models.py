"""What is sold."""

from django.db import models


class Product(models.Model):
    """Something to buy."""

    name = models.CharField(max_length=80)
    price = models.DecimalField(max_digits=8, decimal_places=2)
    photo = models.FileField(upload_to="products/", blank=True)
    # With a default of the database's own, so that a later version need not know the column.
    availability = models.CharField(
        max_length=10,
        blank=True,
        db_default="",
        choices=[("in stock", "in stock"), ("sold out", "sold out")],
    )

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
