"""Fetch what the lock names, and install it without a connection, into the release's `lib/`."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from castoff.builder.built_here import built_folders, leave_out, names_in
from castoff.builder.cache import Cache, key_of, own_code
from castoff.builder.distributions import installed
from castoff.builder.finished import Finished
from castoff.builder.lock import Lock, normalise
from castoff.builder.met import check_complete
from castoff.builder.normalise import normalise as normalise_lib
from castoff.builder.source import Exported
from castoff.builder.source_wheels import SourceWheels
from castoff.builder.stages import Stages
from castoff.builder.versions import version
from castoff.builder.wheel import Workshop

_STAGE = "dependencies"
_RULES = (
    "built_here.py",
    "distributions.py",
    "environment.py",
    "installer_pip.py",
    "installer_uv.py",
    "met.py",
    "normalise.py",
    "source_builds.py",
    "source_wheels.py",
)


def install_locked(
    path: Path,
    lib: Path,
    source: Exported,
    workshop: Workshop,
    stages: Stages,
    cache: Cache,
    finished: Finished | None,
    *,
    wheel: bool,
) -> Lock:
    """Install all locked distributions, each file checked against its digest.

    They are normalised unless that is left to `finished`.

    Args:
        path: What `find_lock` found.
        lib: Where to; missing, and stays so if there is nothing to install.
        source: The exported commit.
        workshop: For what and by what.
        stages: Told of `fetch` and `install`.
        cache: Where what was installed before is found again.
        finished: Where all of `lib` may be found; None where it has to be laid out.
        wheel: Whether the project's own wheel is built. What is built from the commit is left out.

    Raises:
        SourceError: Something has no digest, no wheel, or is not locked; or the lock is stale.
        BuildError: A digest differs, an index does not answer, or a tool fails.
    """
    house = workshop.folder / "house"
    with stages.stage("fetch", path.name):
        lock = normalise(
            path,
            folder=source.folder,
            top=source.top,
            work=workshop.folder,
            destination=workshop.destination,
            env=workshop.env,
        )
        built = built_folders(lock, source.folder, wheel=wheel)
        without = names_in(lock, built)
        key = _key(lock, workshop, without)
        whole = finished is not None
        if finished is not None and finished.take(key):
            return lock
        if cache.read_tree(_STAGE, key, lib):
            return lock
        wheels = SourceWheels(lock, workshop, cache)
        given = wheels.lock()
        with nullcontext() if finished is None else finished.ahead(lib.parent):
            workshop.installer.fetch(given, house, folder=source.folder, linked=whole)
    with stages.stage("install", path.name):
        workshop.installer.install(given, house, lib, folder=source.folder, linked=whole)
        wheels.keep(house, lib)
        shutil.rmtree(house, ignore_errors=True)
        if not whole:
            normalise_lib(lib)
        if not lock.complete and workshop.installer.name == "pip":
            markers = workshop.destination.interpreter.markers
            check_complete(installed(lib), lock=lock.source, markers=markers)
        if without:
            leave_out(lib, without)
        # What will be kept when it is finished need not be kept twice.
        if lib.is_dir() and not whole:
            cache.write_tree(_STAGE, key, lib)
    return lock


def _key(lock: Lock, workshop: Workshop, without: Sequence[str]) -> str:
    return key_of(
        {
            # What is kept was looked at and written anew by these.
            "castoff": version("castoff"),
            "rules": own_code(*_RULES),
            "lock": lock.digest,
            "pylock": lock.pylock,
            "settings": lock.settings,
            "without": list(without),
            "destination": workshop.destination.key(),
            workshop.installer.name: workshop.installer.version,
        }
    )
