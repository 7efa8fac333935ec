"""What names of tags owe the apps that share a repository; no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from castoff.config.errors import Misfit
from castoff.config.placeholders import names_in

if TYPE_CHECKING:
    from castoff.config.model import Config


def config(whole: Config) -> Iterator[Misfit]:
    """Yield names of tags that two releases would have in common."""
    for name, env in whole.environments.items():
        if env.tag is None:
            continue
        at = ("environments", name, "tag", "name")
        places = names_in(env.tag.name)
        if "n" not in places:
            yield Misfit(at, "must have {n} in it, so that each release has a tag of its own")
        if len(whole.apps) > 1 and "app" not in places:
            yield Misfit(at, "must have {app} in it, since each app here has numbers of its own")
        if "environment" not in places and _shared(whole, name):
            yield Misfit(at, "must have {environment} in it, or differ from other environments'")


def _shared(whole: Config, name: str) -> bool:
    mine = whole.environments[name].tag
    return any(
        env.tag is not None and mine is not None and env.tag.name == mine.name
        for other, env in whole.environments.items()
        if other != name
    )
