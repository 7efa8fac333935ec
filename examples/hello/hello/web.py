"""The application: a page from the database, and a health check that says which release runs."""

import json
from pathlib import Path

from flask import Flask, Response

from hello import database

app = Flask(__name__)


def version() -> str:
    """Return the version in the release's castoff.json, or `unreleased` outside a release."""
    # A process belongs to the release that its code was read from, wherever `current` points.
    for folder in Path(__file__).resolve().parents:
        document = folder / "castoff.json"
        if document.is_file():
            return str(json.loads(document.read_bytes())["version"])
    return "unreleased"


VERSION = version()


@app.get("/")
def page() -> Response:
    """Say hello."""
    (text,) = database.row("SELECT text FROM greeting")
    return Response(f"{text}.\nThis is version {VERSION}.\n", mimetype="text/plain")


@app.get("/health")
def health() -> dict[str, str]:
    """Say that this process serves: its version, and whether it can read the database."""
    database.row("SELECT 1 FROM greeting")
    return {"status": "ok", "version": VERSION}
