"""The release's tree of files, before it is packed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from castoff.builder.app_files import copy_app, part
from castoff.builder.beside import Beside
from castoff.builder.bytecode import Compiler, compile_tree
from castoff.builder.cache import Cache
from castoff.builder.destination import Destination, check_reached
from castoff.builder.finished import Finished
from castoff.builder.harmless import Harmless
from castoff.builder.known_bounds import known_bound
from castoff.builder.launchers import write_launchers
from castoff.builder.lib import Library, fill_lib
from castoff.builder.lock import find_lock
from castoff.builder.normalise import set_modes
from castoff.builder.on_disk import OnDisk
from castoff.builder.project import Project, read_project
from castoff.builder.release_info import write_release_info
from castoff.builder.request import BuildRequest
from castoff.builder.secrets import check_secrets
from castoff.builder.source import Exported
from castoff.builder.stages import Stages
from castoff.builder.target import NOTHING, acceptable, detect
from castoff.builder.tree import Tree, check_content, walk
from castoff.builder.wheel import Workshop
from castoff.builder.work_folder import TREE
from castoff.builder.zipapp import check_choice
from castoff.config.app_tables import Assets
from castoff.store.manifest import Target
from castoff.store.places import INSTALLED

# In a tree whatever the project holds.
_OURS = ("castoff.json", "app/castoff.toml")


@dataclass(frozen=True, slots=True)
class Release:
    """The tree of a release, and what is known of it.

    Attributes:
        tree: All of its files.
        library: What was installed.
        finished: Where `lib/` may come from; None where it has to be on disk.
        scripts: Names of the launchers.
        own_scripts: Those of the project's own wheel.
        target: Where it can run.
        asset_tools: Versions of what made `static/`.
    """

    tree: Tree
    library: Library
    finished: Finished | None
    scripts: tuple[str, ...]
    own_scripts: tuple[str, ...]
    target: Target
    asset_tools: Mapping[str, str]


def make_tree(
    request: BuildRequest, source: Exported, workshop: Workshop, stages: Stages, cache: Cache
) -> Release:
    """Make the release's tree: `lib/`, `project/`, `app/`, `bin/`, `static/`, `castoff.json`.

    Args:
        request: What to build.
        source: The exported commit.
        workshop: The tools and their folder, in which the tree is made.
        stages: Told of each stage.
        cache: Results of earlier builds.

    Raises:
        SourceError: The commit, its lock or its files cannot be built from.
        SecretFound: The release would hold what looks like secrets.
        BuildError: A tool failed, or the result cannot be released.
        AssetError: An asset cannot be built.
        Damaged: A result of an earlier build is no longer what it was.
    """
    recipe = request.recipe.build
    tree = workshop.folder / TREE
    tree.mkdir()
    project = read_project(source.folder)
    wheel = recipe.wheel if recipe.wheel is not None else project is not None and project.builds
    if project is not None and project.scripts and not wheel and recipe.wheel is None:
        stages.progress(
            "source",
            "warning: no wheel is built, so bin/ will lack the project's own "
            f"{', '.join(project.scripts)}; [build-system] in pyproject.toml would have it built",
        )
    if recipe.format == "zipapp":
        check_choice(recipe.entry_point, project, wheel=wheel)
    # Shiv reads all of it from disk.
    alone = recipe.format == "tarball"
    linked = alone and not wheel and request.recipe.assets is None
    finished = Finished(cache, recipe, workshop, workers=request.workers) if alone else None
    lock = find_lock(
        source.folder,
        top=source.top,
        configured=recipe.lock,
        project=project,
        exclude=recipe.exclude,
    )
    python = wheel or lock is not None or project is not None
    include = recipe.include if recipe.include is not None else () if wheel else ("**",)

    def fill_app() -> Path:
        copy_app(
            source.folder, tree / "app", include=include, exclude=recipe.exclude, linked=linked
        )
        if python and workshop.destination.compiles:
            compile_tree(tree, "app", _compiler(request, tree, workshop, cache))
        return tree / "app"

    # While this program waits for others to fetch, install and compile.
    with finished or nullcontext(), Beside() as beside:
        app = beside.submit(fill_app)
        library = fill_lib(
            tree,
            source,
            project,
            workshop,
            stages,
            cache,
            finished,
            lock=lock,
            recipe=recipe,
            wheel=wheel,
            before_wheels=lambda: part(app.result()),
            beside=beside,
        )
        app.result()
    with stages.stage("tree", "app, launchers, byte code"):
        write_release_info(tree, app=request.app, version=source.version, commit=source.commit)
        scripts: tuple[str, ...] = ()
        bounds = ""
        if python:
            bounds = _requires_python(library, project, workshop.destination, cache)
            scripts = _finish(request, tree, library, workshop, stages, cache, bounds=bounds)
    asset_tools: Mapping[str, str] = {}
    assets = request.recipe.assets
    if assets is not None:
        key = None if finished is None else finished.key
        on_disk = OnDisk(tree, workshop, cache, layer=library.layer, key=key)
        asset_tools = _assets(request, assets, tree, source, workshop, stages, on_disk, cache)
    with stages.stage("secrets", "none may be in it"):
        set_modes(tree)
        digests = check_secrets(
            tree,
            allow=recipe.allow_secrets,
            workers=request.workers,
            harmless=Harmless(cache, request.app),
        )
    with stages.stage("tree", "names, links"):
        found = walk(tree, library.layer, digests=digests)
        check_content(found, of_ours=_OURS)
        target = _target(found, library, workshop.destination, bounds) if python else NOTHING
    own = tuple(library.own.scripts()) if library.own is not None else ()
    return Release(found, library, finished, scripts, own, target, asset_tools)


def _finish(
    request: BuildRequest,
    tree: Path,
    library: Library,
    workshop: Workshop,
    stages: Stages,
    cache: Cache,
    *,
    bounds: str,
) -> tuple[str, ...]:
    """Write byte code and launchers; return the launchers' names."""
    destination = workshop.destination
    if destination.compiles:
        for folder in INSTALLED:
            compile_tree(tree, folder, _compiler(request, tree, workshop, cache))
    else:
        stages.progress(
            "tree",
            f"warning: no byte code, which Python {destination.interpreter.version} would have to "
            "write and is not here; name one with `python` under [apps.NAME.build]",
        )
    allowed = acceptable(
        tree,
        library.distributions,
        interpreter=destination.interpreter,
        requires_python=bounds,
        layer=library.layer,
    )
    return write_launchers(tree, library.distributions, allowed, library.layer)


def _compiler(request: BuildRequest, tree: Path, workshop: Workshop, cache: Cache) -> Compiler:
    return Compiler(
        tree,
        interpreter=workshop.interpreter,
        env=workshop.env,
        workers=request.workers,
        cache=cache,
    )


def _assets(
    request: BuildRequest,
    assets: Assets,
    tree: Path,
    source: Exported,
    workshop: Workshop,
    stages: Stages,
    on_disk: OnDisk,
    cache: Cache,
) -> Mapping[str, str]:
    """Fill `static/` as castoff.toml says; return the versions of the tools."""
    # Most of what a build has to load, and only needed here.
    from castoff.builder.assets_stage import fill_static

    return fill_static(
        tree,
        assets,
        source.folder,
        source.top,
        workshop,
        stages,
        on_disk=on_disk,
        cache=cache,
        tools=None if request.cache is None else request.cache / "assets",
        environment=request.environment,
        workers=request.workers,
    )


def _target(tree: Tree, library: Library, destination: Destination, bounds: str) -> Target:
    target = detect(
        tree,
        library.distributions,
        interpreter=destination.interpreter,
        requires_python=bounds,
        musl=destination.musl,
    )
    check_reached(target, destination.platform)
    return target


def _requires_python(
    library: Library, project: Project | None, destination: Destination, cache: Cache
) -> str:
    own = project.requires_python if project is not None else ""
    if library.own is not None:
        own = library.own.requires_python
    markers = destination.interpreter.markers
    return known_bound(own, library.distributions, markers, cache=cache)
