"""Fill `lib/` with what the lock names, and `project/` with what is built from the commit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from functools import cache as once
from pathlib import Path

from packaging.tags import Tag
from packaging.utils import parse_wheel_filename

from castoff.builder.apart import check_apart
from castoff.builder.app_files import part
from castoff.builder.built_here import built_folders
from castoff.builder.cache import Cache
from castoff.builder.dependencies import install_locked
from castoff.builder.distributions import Distribution, installed
from castoff.builder.errors import BuildError, SourceError
from castoff.builder.finish import Tidied
from castoff.builder.finished import Finished
from castoff.builder.installer import IndexFile
from castoff.builder.layer import Layer
from castoff.builder.lock import Lock
from castoff.builder.lock_export import TOOLS
from castoff.builder.locked_files import installed_from
from castoff.builder.met import check_met
from castoff.builder.normalise import normalise, tidy, write_record
from castoff.builder.project import Project
from castoff.builder.prune import prune
from castoff.builder.source import Exported
from castoff.builder.stages import Stages
from castoff.builder.wheel import Workshop, build_wheel
from castoff.config.app_tables import Build
from castoff.store.manifest import Pruned
from castoff.store.places import LIB, PROJECT


@dataclass(frozen=True, slots=True)
class Library:
    """What was installed.

    Attributes:
        distributions: All of it, by name.
        own: The project's wheel, if one was built.
        lock: The lock's name, if there is one.
        pruned: What was left out of dependencies.
        tools: What read and installed the lock, with their versions.
        layer: What belongs to `lib/` and was not written there; None if all was.
        files: The SHA-256 of the file that each distribution of an index came in.
    """

    distributions: tuple[Distribution, ...]
    own: Distribution | None
    lock: str | None
    pruned: Pruned
    tools: Mapping[str, str]
    layer: Layer | None
    files: Mapping[str, str]


def fill_lib(
    tree: Path,
    source: Exported,
    project: Project | None,
    workshop: Workshop,
    stages: Stages,
    cache: Cache,
    finished: Finished | None,
    *,
    lock: Path | None,
    recipe: Build,
    wheel: bool,
    before_wheels: Callable[[], object],
    beside: Executor,
) -> Library:
    """Install everything, and normalise it.

    Args:
        tree: The tree; `lib` and `project` stay missing if there is nothing to install in them.
        source: The exported commit.
        project: Its pyproject.toml.
        workshop: Where wheels are built.
        stages: Told of `fetch`, `install`, `wheel` and `normalise`.
        cache: Where dependencies that were installed before are found again.
        finished: Where all of `lib` may be found; None where it has to lie in the tree's folder.
        lock: What `find_lock` found.
        recipe: What castoff.toml says of it.
        wheel: Whether the project's own wheel is built.
        before_wheels: Called before code of the project's runs, which may write into the export.
        beside: Runs what others are only waited for.

    Raises:
        SourceError: The lock has no digests, does not fit the project, or brings what the
            project's own wheel hides.
        BuildError: A tool fails.
    """
    lib = tree / LIB
    locked = None
    if lock is not None:
        locked = install_locked(lock, lib, source, workshop, stages, cache, finished, wheel=wheel)
    asked = _ask(locked, finished, workshop, beside, folder=source.folder)
    layer, pruned = _finish(lib, finished, stages, rules=recipe.prune)
    folders = built_folders(locked, source.folder, wheel=wheel)
    if folders:
        before_wheels()
        if layer is None:
            # Perhaps links into the installer's cache.
            part(lib)
    built = [
        _install_wheel(folder, tree / PROJECT, source, project, workshop, stages)
        for folder in folders
    ]
    own = built[-1] if wheel else ""
    if recipe.prune:
        nothing = "" if pruned.files else "warning: no rule of `prune` fits: "
        stages.progress("normalise", f"{nothing}{pruned.files} files of dependencies left out")
    distributions = installed(lib) if layer is None or finished is None else finished.distributions
    if built:
        distributions = _with_project(tree, distributions, layer, stages, lock=lock)
    found = next((one for one in distributions if one.name == own), None)
    lock_name = None if locked is None else locked.source
    # uv has compared its own, and knows what the project overrides.
    if lock is None or lock.name != "uv.lock":
        markers = workshop.destination.interpreter.markers
        for asker, requires in _askers(project, distributions, built, own):
            check_met(
                asker,
                requires,
                distributions,
                lock=lock_name,
                markers=markers,
                itself="" if project is None else project.name,
            )
    tools = _tools(lock, workshop) if distributions else {}
    files: Mapping[str, str] = {}
    if locked is not None:
        named = [one for one in distributions if one.name not in built]
        files = installed_from(
            locked, named, workshop, cache, stages.progress, folder=source.folder, asked=asked
        )
    return Library(distributions, found, lock_name, pruned, tools, layer, files)


def _ask(
    lock: Lock | None,
    finished: Finished | None,
    workshop: Workshop,
    beside: Executor,
    *,
    folder: Path,
) -> Future[Mapping[str, Sequence[IndexFile]]] | None:
    """Ask which files a lock names, long before it is wanted, where no build has asked before."""
    if lock is None or finished is None or finished.layer is not None:
        return None
    return beside.submit(workshop.installer.files, lock, work=workshop.folder, folder=folder)


def _finish(
    lib: Path,
    finished: Finished | None,
    stages: Stages,
    *,
    rules: Sequence[str],
) -> tuple[Layer | None, Pruned]:
    """Normalise `lib`, and leave out what is not wanted; return what then is not in the folder."""
    if finished is not None and finished.layer is not None:
        return finished.layer, finished.pruned

    @once
    def tidied() -> Tidied:
        distributions = tidy(lib)
        return distributions, prune(lib, installed(lib), rules) if rules else Pruned()

    with stages.stage("normalise", "lib"):
        if finished is not None:
            finished.make(lib, tidied, whole=not rules)
        distributions, pruned = tidied()
        if finished is None or finished.layer is None:
            for one in distributions:
                write_record(lib, one)
    return None if finished is None else finished.layer, pruned


def _install_wheel(
    folder: Path,
    target: Path,
    source: Exported,
    project: Project | None,
    workshop: Workshop,
    stages: Stages,
) -> str:
    """Build the wheel of a project of the commit, and install it; return its normalised name."""
    name = folder.name
    if folder == source.folder and project is not None:
        # Poetry's own table may have the name instead.
        name = project.name or "the project"
    with stages.stage("wheel", name):
        made = build_wheel(folder, workshop, version=source.version, commit=source.commit)
        _check_wheel(made, workshop)
        workshop.installer.install_wheel(made, target)
    return parse_wheel_filename(made.name)[0]


def _with_project(
    tree: Path,
    locked: Sequence[Distribution],
    layer: Layer | None,
    stages: Stages,
    *,
    lock: Path | None,
) -> tuple[Distribution, ...]:
    """Normalise `project`, see that it fits beside `lib`; return all that is installed in both."""
    with stages.stage("normalise", PROJECT):
        normalise(tree / PROJECT)
        own = installed(tree / PROJECT, PROJECT)
        twice = sorted({one.name for one in own}.intersection(one.name for one in locked))
        if twice and lock is not None:
            raise SourceError(
                f"{lock.name} locks {', '.join(twice)}, which the commit has itself",
                hint="Say its name in pyproject.toml, in [project], so that the one of the commit "
                "is taken; or take it out of the lock.",
            )
        check_apart(tree, layer, warn=lambda text: stages.progress("normalise", f"warning: {text}"))
    return tuple(sorted((*locked, *own), key=lambda one: one.name))


def _askers(
    project: Project | None, distributions: Sequence[Distribution], built: Sequence[str], own: str
) -> Iterator[tuple[str, Sequence[str]]]:
    """Yield what the commit itself asks for: by its wheels, and by pyproject.toml without one."""
    for one in distributions:
        if one.name in built:
            yield "the project" if one.name == own else one.name, one.requires
    if not own and project is not None:
        yield "the project", project.dependencies


def _check_wheel(wheel: Path, workshop: Workshop) -> None:
    """See that a wheel that was compiled here runs where the release is to run.

    Raises:
        BuildError: It does not.
    """
    compiled = any(tag.platform != "any" or tag.abi != "none" for tag in _tags(wheel))
    if compiled and not workshop.destination.here:
        raise BuildError(
            f"{wheel.name}: the project has compiled extensions, and cannot be built here for "
            f"{workshop.destination.platform}",
            hint="Build it on a machine like the hosts, with the same version of Python.",
        )


def _tags(wheel: Path) -> frozenset[Tag]:
    return parse_wheel_filename(wheel.name)[3]


def _tools(path: Path | None, workshop: Workshop) -> Mapping[str, str]:
    """Return what decided the content of `lib/`, beside the lock: names and versions."""
    installer = workshop.installer
    tools: dict[str, str] = {installer.name: installer.version}
    if path is not None and path.name in TOOLS:
        name, _, version = TOOLS[path.name].partition("==")
        tools[name] = version
    return tools
