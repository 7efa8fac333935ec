"""Real Django: gathers its own files at build time, and reads the manifest that we write."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from castoff.builder.assets.collectstatic import collect_static
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.pipeline import build_assets
from castoff.builder.assets.settings import AssetSettings
from support.asset_builds import Built, write

PROJECT = {
    "manage.py": (
        "import os, sys\n"
        "def main():\n"
        "    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"
        "    from django.core.management import execute_from_command_line\n"
        "    execute_from_command_line(sys.argv)\n"
        "if __name__ == '__main__':\n"
        "    main()\n"
    ),
    "shop/__init__.py": "",
    "shop/settings.py": (
        "import os\n"
        "SECRET_KEY = os.environ['SECRET_KEY']\n"
        "INSTALLED_APPS = ['django.contrib.staticfiles', 'django.contrib.admin', 'shop',\n"
        "    'django.contrib.auth', 'django.contrib.contenttypes']\n"
        "STATIC_URL = '/assets/'\n"
        "STATIC_ROOT = '/nowhere'\n"
        "STATICFILES_DIRS = [os.path.join(os.path.dirname(__file__), 'front')]\n"
        "ROOT_URLCONF = 'shop.settings'\n"
        "STORAGES = {'staticfiles': {'BACKEND':\n"
        "    'django.contrib.staticfiles.storage.ManifestStaticFilesStorage'}}\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': '/nowhere/db'}}\n"
    ),
    "shop/static/shop/app.css": "a { background: url(logo.bmp) }",
    "shop/static/shop/logo.bmp": "BM",
    "shop/front/main.scss": "$c: red;\np { color: $c }",
}


@pytest.fixture(scope="session")
def django_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("needs uv, to install Django")
    folder = tmp_path_factory.mktemp("django") / "venv"
    python = folder / "bin/python"
    subprocess.run([uv, "venv", "-q", str(folder)], check=True)
    subprocess.run([uv, "pip", "install", "-q", "--python", str(python), "django>=5"], check=True)
    return python


@pytest.fixture
def environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"]}


def test_django_gathers_and_then_finds_what_was_built(
    tmp_path: Path,
    cache: Path,
    env: dict[str, str],
    django_python: Path,
    environment: dict[str, str],
) -> None:
    project = write(tmp_path / "project", PROJECT)
    found = collect_static(project, tmp_path / "static", python=django_python, env=environment)
    assert found.static_url == "/assets/"
    assert (found.root.folder / "admin/css/base.css").is_file()
    assert (found.root.folder / "main.scss").is_file()
    assert not (found.root.folder / "staticfiles.json").exists()

    target = tmp_path / "built"
    settings = AssetSettings(base_url=found.static_url)
    manifest = build_assets([found.root], target, settings, cache=cache, env=env)
    built = Built(manifest, target)

    asks = f"""
import json
from django.conf import settings
settings.configure(
    STATIC_URL="/assets/", STATIC_ROOT={str(target)!r}, DEBUG=False,
    INSTALLED_APPS=["django.contrib.staticfiles"],
    STORAGES={{"staticfiles": {{"BACKEND":
        "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}}},
)
from django.contrib.staticfiles.storage import staticfiles_storage as storage
from django.template import Context, Engine
import django
django.setup()
page = Engine(libraries={{"static": "django.templatetags.static"}}).from_string(
    "{{% load static %}}{{% static 'shop/app.css' %}}").render(Context())
names = {sorted(manifest.assets)!r}
print(json.dumps([page, {{name: storage.url(name) for name in names}}, storage.manifest_hash]))
try:
    storage.url("nope.css")
except ValueError as error:
    print(error)
"""
    done = subprocess.run(
        [django_python, "-c", asks], env=environment, capture_output=True, text=True, check=True
    )
    first, second = done.stdout.splitlines()
    page, urls, digest = json.loads(first)
    assert page == manifest.url("shop/app.css")
    assert urls == {name: manifest.url(name) for name in manifest.assets}
    assert len(digest) == 12
    assert "nope.css" in second
    assert "main.css" in manifest.assets
    assert built.path("shop/logo.bmp").rpartition("/")[2] in built.text("shop/app.css")


def test_django_writes_the_same_hash_for_the_same_paths(
    django_python: Path, environment: dict[str, str]
) -> None:
    from castoff.builder.assets import django
    from castoff.builder.assets.manifest import Asset

    paths = {"b.css": "b.1.css", "ä.css": "ä.1.css"}
    assets = {name: Asset(path, "", "", 0, "", {}, immutable=True) for name, path in paths.items()}
    asks = f"""
import json
from django.conf import settings
settings.configure(STATIC_URL="/s/", STATIC_ROOT="/tmp")
from django.core.files.base import ContentFile
from django.core.files.storage import InMemoryStorage
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
memory = InMemoryStorage()
storage = ManifestStaticFilesStorage(manifest_storage=memory)
storage.hashed_files = {paths!r}
storage.save_manifest()
print(memory.open("staticfiles.json").read().decode())
"""
    done = subprocess.run(
        [django_python, "-c", asks], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(django.to_bytes(assets)) == json.loads(done.stdout)


def test_a_project_without_manage_py_is_loaded_by_its_settings(
    tmp_path: Path, django_python: Path, environment: dict[str, str]
) -> None:
    files = {name: text for name, text in PROJECT.items() if name != "manage.py"}
    project = write(tmp_path / "project", files)
    found = collect_static(
        project,
        tmp_path / "static",
        python=django_python,
        env=environment,
        settings_module="shop.settings",
    )
    assert (found.root.folder / "shop/app.css").is_file()


def test_settings_that_fail_to_load_are_told(
    tmp_path: Path, django_python: Path, environment: dict[str, str]
) -> None:
    broken = {**PROJECT, "shop/settings.py": "raise RuntimeError('no STRIPE_KEY')"}
    project = write(tmp_path / "project", broken)
    with pytest.raises(AssetError, match="no STRIPE_KEY"):
        collect_static(project, tmp_path / "static", python=django_python, env=environment)


def test_an_interpreter_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(AssetError, match="cannot be run"):
        collect_static(tmp_path, tmp_path / "s", python=tmp_path / "nope", env={})
