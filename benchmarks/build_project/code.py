"""The Python code and the templates of the application."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_MODELS = ("Item", "Entry", "Group", "Note", "Rule", "Event")
_FIELDS = (
    ("title", 'models.CharField(_("title"), max_length=200)'),
    ("slug", 'models.SlugField(_("slug"), max_length=80, unique=True)'),
    ("description", 'models.TextField(_("description"), blank=True)'),
    ("price", 'models.DecimalField(_("price"), max_digits=10, decimal_places=2, default=0)'),
    ("quantity", 'models.PositiveIntegerField(_("quantity"), default=0)'),
    ("is_active", 'models.BooleanField(_("active"), default=True)'),
    ("created", 'models.DateTimeField(_("created"), auto_now_add=True)'),
    ("updated", 'models.DateTimeField(_("updated"), auto_now=True)'),
    ("options", 'models.JSONField(_("options"), default=dict, blank=True)'),
)

_SETTINGS = """\
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "only-for-a-benchmark"
DEBUG = False
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "corsheaders",
    "django_extensions",
{apps}]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "shop.urls"
TEMPLATES = [
    {{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {{
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        }},
    }},
]
WSGI_APPLICATION = "shop.wsgi.application"
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}}}
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "collected"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REST_FRAMEWORK = {{"DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema"}}
"""

_MANAGE = """\
#!/usr/bin/env python
import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
execute_from_command_line(sys.argv)
"""

_WSGI = """\
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
application = get_wsgi_application()
"""

_FIELD_CHECK = '''
    def check_{name}(self) -> list[str]:
        """Return what is wrong with `{name}`, in the words of the back office."""
        problems = []
        value = getattr(self, "{name}", None)
        if value is None:
            problems.append(f"{{self}}: {name} is missing")
        elif isinstance(value, str) and value != value.strip():
            problems.append(f"{{self}}: {name} begins or ends with a blank")
        return problems
'''

_SERVICES = '''\
"""What the views of {app} do, without requests or responses."""

from dataclasses import dataclass, field
from decimal import Decimal

FREE_SHIPPING_FROM = Decimal(100)
TAX = Decimal("0.19")


@dataclass
class Line:
    """One position of a sum."""

    title: str
    price: Decimal
    quantity: int = 1

    @property
    def total(self) -> Decimal:
        return (self.price * self.quantity).quantize(Decimal("0.01"))


@dataclass
class Sum:
    """All positions, with tax and shipping."""

    lines: list[Line] = field(default_factory=list)

    def add(self, title: str, price: Decimal, quantity: int = 1) -> Line:
        line = Line(title, price, quantity)
        self.lines.append(line)
        return line

    @property
    def net(self) -> Decimal:
        return sum((line.total for line in self.lines), Decimal(0))

    @property
    def shipping(self) -> Decimal:
        return Decimal(0) if self.net >= FREE_SHIPPING_FROM else Decimal("4.90")

    @property
    def gross(self) -> Decimal:
        return ((self.net + self.shipping) * (1 + TAX)).quantize(Decimal("0.01"))
'''

_LIST = """\
{{% extends "base.html" %}}
{{% load static %}}
{{% block title %}}{title}{{% endblock %}}
{{% block content %}}
<section class="{app}-list">
  <h1>{title}</h1>
  <ul>
  {{% for object in objects %}}
    <li class="{app}-list__entry">
      <a href="{{{{ object.get_absolute_url }}}}">{{{{ object.title }}}}</a>
      <span class="price">{{{{ object.price }}}}</span>
      {{% if object.description %}}<p>{{{{ object.description|truncatewords:40 }}}}</p>{{% endif %}}
    </li>
  {{% empty %}}
    <li>Nothing here yet.</li>
  {{% endfor %}}
  </ul>
</section>
{{% endblock %}}
"""

_BASE = """\
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{% block title %}Shop{% endblock %}</title></head>
<body>{% block content %}{% endblock %}</body>
</html>
"""


def project(apps: Sequence[str]) -> dict[str, str]:
    """Return the files that hold the apps together."""
    listed = "".join(f'    "{app}",\n' for app in apps)
    routes = "".join(f'    path("{app}/", include("{app}.urls")),\n' for app in apps)
    urls = (
        "from django.contrib import admin\nfrom django.urls import include, path\n\n"
        f'urlpatterns = [\n    path("admin/", admin.site.urls),\n{routes}]\n'
    )
    return {
        "manage.py": _MANAGE,
        "shop/__init__.py": "",
        "shop/settings.py": _SETTINGS.format(apps=listed),
        "shop/urls.py": urls,
        "shop/wsgi.py": _WSGI,
        "shop/__main__.py": "from shop.wsgi import application\n\nprint(application)\n",
    }


def app(name: str) -> dict[str, str]:
    """Return one app's files, by their path in it."""
    models = [f"{name.title()}{kind}" for kind in _MODELS]
    label = name.title()
    files = {
        "__init__.py": "",
        "apps.py": (
            "from django.apps import AppConfig\n\n\n"
            f'class {label}Config(AppConfig):\n    name = "{name}"\n'
        ),
        "models.py": _models(name, models),
        "services.py": _SERVICES.format(app=name),
        "serializers.py": _each(
            models, name, "from rest_framework import serializers", _SERIALIZER
        ),
        "filters.py": _each(models, name, "import django_filters", _FILTER),
        "admin.py": _each(models, name, "from django.contrib import admin", _ADMIN),
        "views.py": _each(models, name, _VIEWS_HEAD.format(app=name), _VIEW),
        "urls.py": _urls(models, name),
        "management/__init__.py": "",
        "management/commands/__init__.py": "",
        f"management/commands/check_{name}.py": _COMMAND.format(app=name, model=models[0]),
        "tests/__init__.py": "",
        "tests/test_services.py": _TEST.format(app=name),
        f"templates/{name}/base.html": _BASE,
    }
    for model in models[:4]:
        page = _LIST.format(app=name, title=f"{label}: {model}")
        files[f"templates/{name}/{model.lower()}_list.html"] = page
    return files


_SERIALIZER = """

class {model}Serializer(serializers.ModelSerializer):
    problems = serializers.SerializerMethodField()

    class Meta:
        model = models.{model}
        fields = ["id", {fields}, "problems"]
        read_only_fields = ["created", "updated"]

    def get_problems(self, obj: models.{model}) -> list[str]:
        return obj.problems()

    def validate_title(self, value: str) -> str:
        if not value.strip():
            raise serializers.ValidationError("A title must say something.")
        return value.strip()
"""

_FILTER = """

class {model}Filter(django_filters.FilterSet):
    title = django_filters.CharFilter(lookup_expr="icontains")
    cheaper_than = django_filters.NumberFilter(field_name="price", lookup_expr="lt")
    dearer_than = django_filters.NumberFilter(field_name="price", lookup_expr="gt")

    class Meta:
        model = models.{model}
        fields = ["title", "is_active"]
"""

_ADMIN = """

@admin.register(models.{model})
class {model}Admin(admin.ModelAdmin):
    list_display = ["title", "price", "quantity", "is_active", "created"]
    list_filter = ["is_active", "created"]
    search_fields = ["title", "description"]
    prepopulated_fields = {{"slug": ["title"]}}
"""

_VIEWS_HEAD = """\
from django.db.models import Count, Sum
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

from {app} import filters, serializers"""

_VIEW = """

class {model}ViewSet(viewsets.ModelViewSet):
    queryset = models.{model}.objects.all().order_by("-created")
    serializer_class = serializers.{model}Serializer
    filterset_class = filters.{model}Filter

    @action(detail=False)
    def summary(self, request):
        found = self.filter_queryset(self.get_queryset())
        return Response(found.aggregate(count=Count("id"), worth=Sum("price")))

    @action(detail=True, methods=["post"])
    def toggle(self, request, pk=None):
        one = self.get_object()
        one.is_active = not one.is_active
        one.save(update_fields=["is_active", "updated"])
        return Response(self.get_serializer(one).data)
"""

_COMMAND = """\
from django.core.management.base import BaseCommand

from {app}.models import {model}


class Command(BaseCommand):
    help = "List what is wrong in {app}."

    def handle(self, *args, **options):
        for one in {model}.objects.iterator():
            for problem in one.problems():
                self.stdout.write(problem)
"""

_TEST = """\
from decimal import Decimal

from {app}.services import Sum


def test_a_small_sum_pays_shipping():
    total = Sum()
    total.add("pencil", Decimal("1.20"), 3)
    assert total.shipping == Decimal("4.90")


def test_a_large_sum_does_not():
    total = Sum()
    total.add("desk", Decimal(300))
    assert total.shipping == 0
"""


def _models(name: str, models: Sequence[str]) -> str:
    return (
        "from django.db import models\n"
        "from django.urls import reverse\n"
        "from django.utils.translation import gettext_lazy as _\n"
        + "".join(_model(name, model) for model in models)
    )


def _model(name: str, model: str) -> str:
    rows = "".join(f"    {field} = {kind}\n" for field, kind in _FIELDS)
    checks = "".join(_FIELD_CHECK.format(name=field) for field, _ in _FIELDS)
    listed = ", ".join(f"self.check_{field}()" for field, _ in _FIELDS)
    return (
        f"\n\nclass {model}(models.Model):\n{rows}\n"
        "    class Meta:\n"
        '        ordering = ["title"]\n'
        f'        verbose_name = _("{model}")\n\n'
        "    def __str__(self) -> str:\n        return self.title\n\n"
        "    def get_absolute_url(self) -> str:\n"
        f'        return reverse("{name}:{model.lower()}-detail", args=[self.pk])\n\n'
        "    def problems(self) -> list[str]:\n"
        f"        return [one for many in ({listed}) for one in many]\n{checks}"
    )


def _each(models: Sequence[str], name: str, head: str, text: str) -> str:
    fields = ", ".join(f'"{field}"' for field, _ in _FIELDS)
    bodies: Iterator[str] = (text.format(model=model, fields=fields) for model in models)
    return f"{head}\n\nfrom {name} import models\n{''.join(bodies)}"


def _urls(models: Sequence[str], name: str) -> str:
    rows = "".join(
        f'router.register("{model.lower()}", views.{model}ViewSet, basename="{model.lower()}")\n'
        for model in models
    )
    return (
        "from rest_framework.routers import DefaultRouter\n\n"
        f'from {name} import views\n\napp_name = "{name}"\nrouter = DefaultRouter()\n{rows}'
        "urlpatterns = router.urls\n"
    )
