"""The static files of a Django project, gathered by Django itself at build time."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from castoff.builder.assets import child
from castoff.builder.assets.errors import ProgramFailed
from castoff.builder.assets.settings import Root

# For settings that read the key from the environment; it signs nothing that outlives the build.
_THROW_AWAY_KEY = "castoff-build-only-not-a-secret-" + "x" * 32
_KEY_NAMES = ("SECRET_KEY", "DJANGO_SECRET_KEY")


@dataclass(frozen=True)
class CollectedStatic:
    """What Django gathered.

    Attributes:
        root: The folder, to be given to `build_assets`.
        static_url: The project's STATIC_URL, fit to be the `base_url`.
    """

    root: Root
    static_url: str


def collect_static(
    project: Path,
    target: Path,
    *,
    python: Path,
    env: Mapping[str, str],
    settings_module: str | None = None,
    timeout: float = 600,
) -> CollectedStatic:
    """Run the project's `collectstatic --noinput` into a folder of our choice.

    STATIC_ROOT and the storage of static files are replaced for this run: files are copied as they
    are, and hashing is left to `build_assets`. No database is touched. SECRET_KEY and
    DJANGO_SECRET_KEY are set to a throw-away value where `env` has none.

    Args:
        project: Folder of the project; its `manage.py` is run where it has one.
        target: Folder for the files; what an earlier run left there goes.
        python: Interpreter that has the project's dependencies.
        env: The whole environment of the run, but for the keys above.
        settings_module: DJANGO_SETTINGS_MODULE; needed where there is no `manage.py`.
        timeout: Seconds.

    Raises:
        ProgramFailed: The project cannot be loaded, or collectstatic fails.
        AssetError: It cannot be run, or takes too long.
    """
    driver = resources.files("castoff.builder.assets").joinpath("django_driver.py")
    keys = dict.fromkeys(_KEY_NAMES, _THROW_AWAY_KEY)
    chosen = {"DJANGO_SETTINGS_MODULE": settings_module} if settings_module else {}
    report = target.with_name(f"{target.name}.json")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    report.unlink(missing_ok=True)
    done = child.run(
        [str(python), "-c", driver.read_text(encoding="utf-8"), str(target), str(report)],
        shown="collectstatic",
        folder=project,
        env={**keys, **env, **chosen, "PYTHONDONTWRITEBYTECODE": "1"},
        timeout=timeout,
    )
    if done.code or not report.is_file():
        raise ProgramFailed(
            f"collectstatic failed with exit code {done.code}:\n{done.last_words}",
            hint="Settings must load without a database and without secrets but SECRET_KEY; other "
            "variables that they read can be given by `env` under [apps.NAME.assets].",
        )
    static_url = str(json.loads(report.read_bytes())["static_url"])
    report.unlink()
    return CollectedStatic(Root(target), static_url)
