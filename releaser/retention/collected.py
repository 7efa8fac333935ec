"""Where an app's public files pile up, for the garbage collector to look through."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from castoff.config.model import App, Config, Site
from castoff.releaser.site import open_site
from castoff.store.public.place import Shelf
from castoff.store.public.shelves import Shelves


@dataclass(frozen=True, slots=True)
class Collected:
    """What may be emptied of an app's files.

    Attributes:
        shelf: The places as one; None where there is none.
        shared: URLs of those where other apps have files too. Which of them those need, the app's
            own versions do not say: nothing is removed there.
    """

    shelf: Shelf | None
    shared: tuple[str, ...]


def collected(config: Config, app: str, base: Path, cdn: Shelf | None) -> Collected:
    """Return the places of files with digests in their names: the CDN's, or else the sites'.

    Files below a site's `releases/` are none of them: they are tidied after each release.

    Args:
        config: The project's configuration.
        app: The app.
        base: What relative folders are relative to.
        cdn: The place behind the app's CDN, if it has one.

    Raises:
        UsageError: A URL names no place that Castoff knows.
        StoreError: The AWS configuration has no such profile.
    """
    found: dict[str, Shelf] = {}
    recipe = config.apps[app]
    if recipe.cdn is None:
        for site in _sites(config):
            found.setdefault(site.store_of(app), open_site(site, app, base))
    elif cdn is not None:
        found[recipe.cdn.store or ""] = cdn
    others = {
        url for name, one in config.apps.items() if name != app for url in _urls(config, name, one)
    }
    shared = tuple(sorted(url for url in found if url in others))
    left = tuple(shelf for url, shelf in found.items() if url not in others)
    return Collected(Shelves(left) if left else None, shared)


def _urls(config: Config, name: str, app: App) -> Iterator[str]:
    if app.cdn is None:
        yield from (site.store_of(name) for site in _sites(config))
    elif app.cdn.store is not None:
        yield app.cdn.store


def _sites(config: Config) -> Iterator[Site]:
    for environment in config.environments.values():
        if environment.site is not None and environment.site.switch == "copy":
            yield environment.site
