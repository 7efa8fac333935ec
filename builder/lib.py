"""Fill a release's `lib/`: what the lock names, and the project's own wheel."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from packaging.utils import parse_wheel_filename

from castoff.builder.dependencies import install_lock, install_wheel
from castoff.builder.distributions import Distribution, installed
from castoff.builder.lock import find_lock, normalise
from castoff.builder.met import check_met
from castoff.builder.normalise import normalise as normalise_lib
from castoff.builder.project import Project
from castoff.builder.source import Exported
from castoff.builder.stages import Stages
from castoff.builder.wheel import Workshop, build_wheel


@dataclass(frozen=True, slots=True)
class Library:
    """What came to lie in `lib/`.

    Attributes:
        distributions: All of it, by name.
        own: The project's wheel, if one was built.
        lock: The lock's name, if there is one.
    """

    distributions: tuple[Distribution, ...]
    own: Distribution | None
    lock: str | None


def fill_lib(
    lib: Path,
    source: Exported,
    project: Project | None,
    workshop: Workshop,
    stages: Stages,
    *,
    lock: str | None,
    wheel: bool,
) -> Library:
    """Install everything, and normalise it.

    Args:
        lib: Where to; stays missing if there is nothing to install.
        source: The exported commit.
        project: Its pyproject.toml.
        workshop: Where wheels are built.
        stages: Told of `dependencies` and `wheel`.
        lock: The lock that castoff.toml names.
        wheel: Whether the project's own wheel is built.

    Raises:
        SourceError: The lock is missing, has no digests, or does not fit the project.
        BuildError: A tool fails.
    """
    interpreter, env = workshop.interpreter, workshop.env
    path = find_lock(source.folder, top=source.top, configured=lock, project=project)
    locked = None
    others: tuple[Path, ...] = ()
    if path is not None:
        with stages.stage("dependencies", path.name):
            locked = normalise(
                path,
                folder=source.folder,
                top=source.top,
                work=workshop.folder,
                interpreter=interpreter,
                env=env,
            )
            install_lock(locked, lib, folder=source.folder, interpreter=interpreter, env=env)
        others = tuple(each for each in locked.local if each != source.folder.resolve())
    own = ""
    for folder in (*others, source.folder) if wheel else others:
        name = project.name if project is not None and folder == source.folder else folder.name
        with stages.stage("wheel", name):
            made = build_wheel(folder, workshop, version=source.version, commit=source.commit)
            install_wheel(made, lib, interpreter=interpreter, env=env)
        if folder == source.folder:
            own = parse_wheel_filename(made.name)[0]
    with stages.stage("normalise", "lib"):
        normalise_lib(lib)
    distributions = installed(lib)
    found = next((one for one in distributions if one.name == own), None)
    lock_name = None if locked is None else locked.source
    if found is not None:
        check_met(found, distributions, lock=lock_name, markers=interpreter.markers)
    return Library(distributions, found, lock_name)
