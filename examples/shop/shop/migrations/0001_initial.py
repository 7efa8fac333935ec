"""What is sold."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = ()
    operations = (
        migrations.CreateModel(
            name="Product",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=80)),
                ("price", models.DecimalField(decimal_places=2, max_digits=8)),
                ("photo", models.FileField(blank=True, upload_to="products/")),
                (
                    "availability",
                    models.CharField(
                        blank=True,
                        choices=[("in stock", "in stock"), ("sold out", "sold out")],
                        db_default="",
                        max_length=10,
                    ),
                ),
            ],
            options={"ordering": ("name",)},
        ),
    )
