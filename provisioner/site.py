"""The file of nginx's site; no I/O but a project's own template."""

from __future__ import annotations

from pathlib import Path

from castoff.config.model import App, Nginx
from castoff.config.paths import local_path
from castoff.provisioner.rendered import rendered
from castoff.provisioner.surroundings import Surroundings

_STATIC = "/static/"


def site_text(nginx: Nginx, around: Surroundings, recipe: App, base: Path) -> str:
    """Return the text of the site's file.

    Raises:
        ConfigError: The project's template cannot be rendered.
    """
    values: dict[str, object] = {
        "app": around.app,
        "environment": around.environment,
        "host": around.host,
        "root": around.host.root,
        "user": around.user,
        "socket": around.socket,
        "upstream": around.fill(nginx.upstream),
        "server_names": nginx.server_names,
        "listen": nginx.listen,
        "certificate": nginx.certificate,
        "certificate_key": nginx.certificate_key,
        "max_body": nginx.max_body,
        "static": _static(recipe),
    }
    own = None if nginx.template is None else local_path(nginx.template, base)
    return rendered("site.conf", values, own=own)


def _static(recipe: App) -> str | None:
    """Return the path below which the release's static/ is served, or None if it is not here."""
    if recipe.assets is None:
        return None
    base_url = recipe.assets.base_url or _STATIC
    return base_url if base_url.startswith("/") and base_url != "/" else None
