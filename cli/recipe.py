"""What a build wants of castoff.toml: one app, and who signs.

All of the file is checked, as ever; what was found sound once is not checked again, as to build
the models of environments, hosts and steps takes longer than to compile a package.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pydantic

import castoff.config
from castoff.builder.cache import Cache, code_in, code_of, key_of
from castoff.cli.cache_place import cache_bound, cache_folder
from castoff.config.app_tables import App
from castoff.config.find import find
from castoff.config.freeze import frozen
from castoff.config.paths import local_path
from castoff.config.select import choose
from castoff.config.store_tables import Signing
from castoff.config.toml import read_toml
from castoff.store import outcomes, version
from castoff.store.digest import sha256

_STAGE = "configuration"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a build wants of castoff.toml.

    Attributes:
        base: The folder that the file lies in, absolute.
        app: Name of the app.
        settings: What the file says of it.
        key: What builds are signed with; None if they are not.
    """

    base: Path
    app: str
    settings: App
    key: Path | None

    @property
    def artifacts(self) -> Path:
        """The folder that builds write to."""
        return self.base / "artifacts"


def open_recipe(config: Path | None, app: str | None) -> Recipe:
    """Read castoff.toml, the file named or the nearest, and choose the app.

    Raises:
        ConfigError: There is none, or it has faults, wherever in it; all are listed.
        UsageError: It has no such app, or several and none is named.
    """
    path = config if config is not None else find(Path.cwd())
    text, document = read_toml(path)
    cache = Cache(cache_folder(), bound=cache_bound())
    key = key_of({"text": sha256(text.encode()), **_judges()})
    if cache.read(_STAGE, key) is None:
        from castoff.config.load import check

        check(path, text, document)
        cache.write(_STAGE, key, b"")
    apps = document["apps"]
    name = choose("app", apps, app, document.get("default_app"))
    base = path.parent.resolve()
    signing = Signing.model_validate(frozen(document.get("signing", {})))
    return Recipe(base, name, App.model_validate(frozen(apps[name])), own_key(signing, base))


def own_key(signing: Signing, base: Path) -> Path | None:
    """Return the key that builds are signed with, or None if they are not.

    Args:
        signing: What castoff.toml says of it.
        base: The folder of castoff.toml.

    Raises:
        ConfigError: The key's path starts with the home folder of a user who does not exist.
    """
    return None if signing.key is None else local_path(signing.key, base)


def _judges() -> dict[str, object]:
    """Return what decides whether a castoff.toml is sound."""
    folder = Path(castoff.config.__file__).parent
    return {
        "code": [*code_in(folder), *code_of(outcomes, version)],
        "pydantic": pydantic.VERSION,
    }
