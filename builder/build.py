"""The main job: a git commit becomes an immutable artifact in `artifacts/`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from castoff.builder.app_files import copy_app
from castoff.builder.bytecode import compile_tree
from castoff.builder.cache import DEFAULT_BOUND, Cache
from castoff.builder.describe import describe
from castoff.builder.destination import Destination, check_reached, find_destination
from castoff.builder.environment import tool_environment
from castoff.builder.finished import Finished
from castoff.builder.installer import choose_installer
from castoff.builder.launchers import write_launchers
from castoff.builder.lib import Library, fill_lib
from castoff.builder.migrations.find import find_migrations
from castoff.builder.normalise import set_modes
from castoff.builder.pack import Damaged
from castoff.builder.project import Project, read_project
from castoff.builder.provenance import LockFile
from castoff.builder.publish import publish
from castoff.builder.release_info import write_release_info
from castoff.builder.secrets import check_secrets
from castoff.builder.source import Exported, export_source
from castoff.builder.stages import Progress, Stages
from castoff.builder.tarball import write_tarball
from castoff.builder.target import NOTHING, acceptable, detect
from castoff.builder.tree import Tree, check_content, walk
from castoff.builder.wheel import Workshop
from castoff.builder.work_folder import TREE, work_folder
from castoff.builder.zipapp import check_choice, choose_script, write_zipapp
from castoff.config.model import App
from castoff.store import filetable
from castoff.store.digest import sha256_file
from castoff.store.filetable import FileTable
from castoff.store.manifest import Manifest, Target

# In a tree whatever the project holds.
_OURS = ("castoff.json", "app/castoff.toml")


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What to build.

    Attributes:
        repository: The folder of castoff.toml, in a git repository.
        app: The app's name.
        recipe: Its table in castoff.toml.
        output: `artifacts/`; made when missing.
        ref: The commit, by any name that git knows.
        version: What to call it; derived from the commit if None.
        dirty: Whether to build the working tree's tracked files instead of the commit.
        environment: The caller's, of which tools get what `environment` lets through.
        cache: The user's folder for what builds may find again; None keeps nothing. The result
            does not depend on it.
        cache_bound: How many bytes of results it may hold when the build is done; none at all if
            0. Asset tools that were fetched do not count.
        workers: How many threads and processes work at once; the result does not depend on it.
    """

    repository: Path
    app: str
    recipe: App
    output: Path
    ref: str = "HEAD"
    version: str | None = None
    dirty: bool = False
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    cache: Path | None = None
    cache_bound: int = DEFAULT_BOUND
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What was built.

    Attributes:
        manifest: What `manifest_path` holds.
        archive: The tarball or zipapp.
        table: The gzipped file table.
        lock: What dependencies were installed from; None where there was no lock.
        seconds: How long each stage took, by its name.
    """

    manifest: Manifest
    archive: Path
    table: Path
    manifest_path: Path
    lock: LockFile | None
    seconds: Mapping[str, float]


def build(request: BuildRequest, *, progress: Progress) -> BuildResult:
    """Build one commit; the same commit gives the same bytes.

    Nothing of the repository is touched, and nothing appears in `output` before it is complete.

    Args:
        request: What to build.
        progress: Called at the start of each stage with its name and what it works on.

    Raises:
        SourceError: The commit, its lock or its files cannot be built from.
        SecretFound: The release would hold what looks like secrets.
        BuildError: A tool failed, or the result cannot be released.
        AssetError: An asset cannot be built.
        ImmutableVersion: The version is there with other bytes.
        UsageError: The version could not be one.
        StoreError: `output` cannot be written.
    """
    cache = Cache(request.cache, bound=request.cache_bound)
    with closing(cache):
        try:
            return _build(request, Stages(progress), cache)
        except Damaged:
            # What earlier builds finished is no longer as it was: it is made again.
            cache.remove_opened()
            return _build(request, Stages(progress), cache)


def _build(request: BuildRequest, stages: Stages, cache: Cache) -> BuildResult:
    progress = stages.progress
    with work_folder() as work:
        with stages.stage("source", request.ref):
            source = _export(request, work)
        for warning in source.warnings:
            progress("source", f"warning: {warning}")
        kept = request.cache if request.cache_bound else None
        env = tool_environment(request.environment, work=work, time=source.time, cache=kept)
        workshop = _workshop(request, source, work, env, progress)
        release = _make_tree(request, source, workshop, stages, cache)
        with stages.stage("archive", request.recipe.build.format):
            archive = work / "archive"
            table = _pack(request, source, release, archive, cache)
        with stages.stage("manifest", source.version):
            document = table.to_bytes()
            zipped = filetable.compress(document)
            manifest = describe(
                app=request.app,
                recipe=request.recipe,
                source=source,
                ref=request.ref,
                dirty=request.dirty,
                kind=request.recipe.build.format,
                target=release.target,
                archive=archive,
                table=table,
                document=document,
                zipped=zipped,
                entry_points=release.scripts,
                distributions=release.library.distributions,
                own=release.library.own,
                ours=release.library.ours,
                interpreter=workshop.interpreter,
                pruned=release.library.pruned,
                lib_tools=release.library.tools,
                asset_tools=release.asset_tools,
                migrations=find_migrations(release.tree, release.library.ours),
            )
            there = publish(manifest, archive, zipped, request.output)
            cache.tidy()
        if cache.trouble is not None:
            progress("cache", f"warning: nothing more is kept: {cache.trouble}")
        lock = _lock(source, release.library)
    return BuildResult(
        there.manifest, there.archive, there.table, there.manifest_path, lock, stages.seconds
    )


@dataclass(frozen=True, slots=True)
class _Release:
    tree: Tree
    library: Library
    scripts: tuple[str, ...]
    own_scripts: tuple[str, ...]
    target: Target
    asset_tools: Mapping[str, str]


def _export(request: BuildRequest, work: Path) -> Exported:
    return export_source(
        request.repository,
        request.recipe.path,
        ref=request.ref,
        version=request.version,
        dirty=request.dirty,
        work=work,
        environment=request.environment,
    )


def _workshop(
    request: BuildRequest, source: Exported, work: Path, env: Mapping[str, str], progress: Progress
) -> Workshop:
    recipe = request.recipe.build
    destination = find_destination(recipe.target, recipe.python, cwd=source.folder, env=env)
    installer = choose_installer(
        recipe.installer, destination, work=work, env=env, progress=progress
    )
    return Workshop(work, destination, installer, env)


def _make_tree(
    request: BuildRequest, source: Exported, workshop: Workshop, stages: Stages, cache: Cache
) -> _Release:
    """Make the release's tree: `lib/`, `app/`, `bin/`, `static/`, `castoff.json`."""
    recipe = request.recipe.build
    tree = workshop.folder / TREE
    tree.mkdir()
    project = read_project(source.folder)
    wheel = recipe.wheel if recipe.wheel is not None else project is not None and project.builds
    if recipe.format == "zipapp":
        check_choice(recipe.entry_point, project, wheel=wheel)
    # Django and shiv want all of `lib/` on disk, and a wheel of the project's own lies among it.
    alone = not wheel and request.recipe.assets is None and recipe.format == "tarball"
    finished = Finished(cache, recipe, workshop) if alone else None
    library = fill_lib(
        tree / "lib", source, project, workshop, stages, cache, finished, recipe=recipe, wheel=wheel
    )
    with stages.stage("tree", "app, launchers, byte code"):
        include = recipe.include if recipe.include is not None else () if wheel else ("**",)
        copy_app(source.folder, tree / "app", include=include, exclude=recipe.exclude)
        write_release_info(tree, app=request.app, version=source.version, commit=source.commit)
        python = wheel or library.lock is not None or project is not None
        scripts: tuple[str, ...] = ()
        if python:
            scripts = _finish(request, tree, library, project, workshop, stages, cache)
    asset_tools = _assets(request, tree, source, workshop, stages, cache)
    with stages.stage("secrets", "none may be in it"):
        set_modes(tree)
        digests = check_secrets(
            tree, own=library.ours, allow=recipe.allow_secrets, workers=request.workers
        )
    with stages.stage("tree", "names, links"):
        found = walk(tree, library.layer, digests=digests)
        check_content(found, of_ours=_OURS)
        target = _target(found, library, project, workshop.destination) if python else NOTHING
    if finished is not None:
        with stages.stage("tree", "keep lib"):
            finished.keep(tree / "lib", library.pruned, digests)
    own = tuple(library.own.scripts()) if library.own is not None else ()
    return _Release(found, library, scripts, own, target, asset_tools)


def _finish(
    request: BuildRequest,
    tree: Path,
    library: Library,
    project: Project | None,
    workshop: Workshop,
    stages: Stages,
    cache: Cache,
) -> tuple[str, ...]:
    """Write byte code and launchers; return the launchers' names."""
    destination = workshop.destination
    if destination.compiles:
        compile_tree(
            tree,
            ("lib", "app"),
            interpreter=workshop.interpreter,
            env=workshop.env,
            workers=request.workers,
            cache=cache,
        )
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
        requires_python=_requires_python(library, project),
        layer=() if library.layer is None else library.layer.files,
    )
    return write_launchers(tree, library.distributions, allowed)


def _assets(
    request: BuildRequest,
    tree: Path,
    source: Exported,
    workshop: Workshop,
    stages: Stages,
    cache: Cache,
) -> Mapping[str, str]:
    """Fill `static/` where castoff.toml says so; return the versions of the tools."""
    if request.recipe.assets is None:
        return {}
    # Most of what a build has to load, and only needed here.
    from castoff.builder.assets_stage import fill_static

    return fill_static(
        tree,
        request.recipe.assets,
        source.folder,
        source.top,
        workshop,
        stages,
        cache=cache,
        tools=None if request.cache is None else request.cache / "assets",
        environment=request.environment,
        workers=request.workers,
    )


def _target(
    tree: Tree, library: Library, project: Project | None, destination: Destination
) -> Target:
    target = detect(
        tree,
        library.distributions,
        interpreter=destination.interpreter,
        requires_python=_requires_python(library, project),
        musl=destination.musl,
    )
    check_reached(target, destination.platform)
    return target


def _requires_python(library: Library, project: Project | None) -> str:
    if library.own is not None:
        return library.own.requires_python
    return project.requires_python if project is not None else ""


def _lock(source: Exported, library: Library) -> LockFile | None:
    if library.lock is None:
        return None
    return LockFile(library.lock, sha256_file(source.folder / library.lock))


def _pack(
    request: BuildRequest, source: Exported, release: _Release, archive: Path, cache: Cache
) -> FileTable:
    tree = release.tree
    if request.recipe.build.format == "tarball":
        return write_tarball(tree, archive, workers=request.workers, cache=cache)
    reference = choose_script(
        request.recipe.build.entry_point,
        own=release.own_scripts,
        installed=release.library.distributions,
    )
    return write_zipapp(
        tree,
        archive,
        reference=reference,
        time=source.time,
        build_id=tree.digest(),
        work=archive.parent,
    )
