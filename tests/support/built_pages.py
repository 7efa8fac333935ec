"""Versions of a small real site: built once, and released from copies of its folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from support.site import Site

APP = """\
[apps.pages]
build = { include = [] }
[apps.pages.assets]
sources = ["public"]
base_url = "/"
"""
_LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><path d="M0 0h8v8H0z"/></svg>'


def files(version: str) -> dict[str, str]:
    """Return the sources of a version: most differ from all others', the logo never does."""
    head = (
        "<!doctype html><meta charset=utf-8><title>Pages</title>"
        '<link rel="stylesheet" href="{up}css/app.css">'
        '<script type="module" src="{up}app.js"></script>'
        f'<body data-version="{version}"><img src="{{up}}logo.svg">'
    )
    return {
        "public/index.html": head.format(up=""),
        "public/deep/page.html": head.format(up="../"),
        "public/css/app.css": (f"body {{ --version: '{version}'; background: url(back.svg) }}"),
        "public/css/back.svg": _LOGO.replace("h8", f"h{len(version)}"),
        "public/app.js": "import { version } from './lib.js'; window.version = version;",
        "public/lib.js": f"export const version = '{version}';",
        "public/logo.svg": _LOGO,
        "public/robots.txt": "User-agent: *\n",
    }


def build(folder: Path, versions: int) -> Site:
    """Build and push versions 1.0, 2.0, …; every second one has a page more."""
    site = Site(folder)
    ignored = "/artifacts/\n/castoff.toml\n/hosts/\n/www/\n"
    site.write({"castoff.toml": APP, ".gitignore": ignored})
    for number in range(1, versions + 1):
        version = f"{number}.0"
        site.write(files(version))
        extra = site.folder / "public/extra/index.html"
        extra.unlink(missing_ok=True)
        if number % 2:
            site.write({"public/extra/index.html": f"<!doctype html><p>{version}</p>"})
        site.commit(version)
        for words in (("build", "--version", version), ("push", version)):
            done = site.castoff(*words)
            assert done.code == 0, done.err
    return site


def copy(built: Site, folder: Path, config: str) -> Site:
    """Return a copy of the site, its versions and its store, with more in its castoff.toml."""
    made = Site(folder)
    shutil.rmtree(made.folder)
    shutil.copytree(built.folder, made.folder, symlinks=True)
    made.write({"castoff.toml": APP + config})
    return made


def keeping_names(site: Site, version: str) -> dict[str, str]:
    """Return the files of a version that keep their names, compressed copies too, by digest.

    A copy stands for its original's digest.
    """
    folder = site.folder / "artifacts/store/pages/artifacts" / version
    (found,) = folder.glob("assets.*.json")
    return {
        path: one["sha256"]
        for one in json.loads(found.read_bytes())["assets"].values()
        if not one["immutable"]
        for path in (one["path"], *(copy["path"] for copy in one["encodings"].values()))
    }


def changed_paths(site: Site, old: str, new: str) -> list[str]:
    """Return what a CDN has to forget between two versions, folders of `index.html` too."""
    before, after = keeping_names(site, old), keeping_names(site, new)
    keys = {key for key in {*before, *after} if before.get(key) != after.get(key)}
    folders = {f"/{k.removesuffix('index.html')}" for k in keys if Path(k).name == "index.html"}
    return sorted({f"/{key}" for key in keys} | folders)
