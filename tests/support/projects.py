"""Little projects of each kind, file by file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from castoff.config.scaffold.detect import Kind

PYPROJECT = """\
[project]
name = "{name}"
version = "1"
dependencies = {dependencies}
"""
BUILD_SYSTEM = (
    '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
)
FLASK = "from flask import Flask\n\napp = Flask(__name__)\n"
FACTORY = "import fastapi\n\ndef create_app():\n    return fastapi.FastAPI()\n"

PROJECTS: dict[str, tuple[Kind, Mapping[str, str]]] = {
    "django": (
        "django",
        {
            "manage.py": "import sys\n",
            "shop/wsgi.py": "application = None\n",
            "media/logo.txt": "",
            "pyproject.toml": BUILD_SYSTEM
            + PYPROJECT.format(
                name="Shop.Site", dependencies='["Django>=5", "psycopg[binary]", "celery"]'
            ),
            "uv.lock": "version = 1\n",
        },
    ),
    "django-sqlite": (
        "django",
        {"backend/manage.py": "", "db.sqlite3": "", "requirements.txt": "Django==5.2\n"},
    ),
    "django-without-manage": ("django", {"requirements.in": "django\n"}),
    "flask": (
        "wsgi",
        {
            "web/site.py": FLASK,
            "web/bad.py": "def (:\n",
            "tests/app.py": "from fastapi import FastAPI\napp = FastAPI()\n",
            "requirements.txt": "flask==3.0 --hash=sha256:00\ngunicorn==23 --hash=sha256:00\n",
        },
    ),
    "flask-factory": ("wsgi", {"app.py": "import flask\ndef make_app():\n    flask.Flask('x')\n"}),
    "flask-migrate": (
        "wsgi",
        {
            "src/blog/__init__.py": FLASK,
            "migrations/env.py": "",
            "pyproject.toml": BUILD_SYSTEM
            + PYPROJECT.format(name="blog", dependencies='["flask-migrate", "pymysql"]'),
        },
    ),
    "fastapi": (
        "asgi",
        {"api/main.py": FACTORY, "alembic.ini": "", "requirements.in": "fastapi\nasyncpg\n"},
    ),
    "fastapi-by-name": (
        "asgi",
        {"pyproject.toml": PYPROJECT.format(name="api", dependencies='["fastapi"]')},
    ),
    "package": (
        "package",
        {
            "pyproject.toml": BUILD_SYSTEM
            + PYPROJECT.format(name="mailer", dependencies="[]")
            + '[project.scripts]\nmailer = "mailer:main"\nmailer-admin = "mailer:admin"\n'
        },
    ),
    "script": (
        "package",
        {
            "pyproject.toml": PYPROJECT.format(name="tidy", dependencies="[]")
            + '[project.scripts]\ntidy = "tidy:main"\n'
        },
    ),
    "static": ("static", {"index.html": "<p>Hi"}),
    "static-built": ("static", {"package.json": "{}", "_site/index.html": "<p>Hi"}),
    "static-source": ("static", {"package.json": "{}"}),
    "files": ("files", {"notes.txt": ""}),
    "empty": ("files", {}),
}


def make(folder: Path, name: str) -> Kind:
    """Write a project into a folder, and return the kind that it should be taken for."""
    kind, files = PROJECTS[name]
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return kind
