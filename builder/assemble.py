"""From an exported commit to the artifact: tree, archive, manifest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

from castoff.builder.cache import Cache
from castoff.builder.describe import describe
from castoff.builder.destination import find_destination
from castoff.builder.environment import tool_environment
from castoff.builder.forked import Forked
from castoff.builder.growing import NotKept
from castoff.builder.installer import choose_installer
from castoff.builder.installer_space import in_use, prune_installers
from castoff.builder.lib import Library
from castoff.builder.make_tree import Release, make_tree
from castoff.builder.migrations.known import known_migrations
from castoff.builder.packed import Packed
from castoff.builder.provenance import LockFile
from castoff.builder.publish import publish
from castoff.builder.removal import Removal
from castoff.builder.request import BuildRequest
from castoff.builder.result import BuildResult
from castoff.builder.source import Exported
from castoff.builder.stages import Progress, Stages
from castoff.builder.tarball import write_tarball
from castoff.builder.wheel import Workshop
from castoff.builder.work_folder import SOURCE, TREE
from castoff.builder.zipapp import choose_script, write_zipapp
from castoff.store import filetable
from castoff.store.digest import sha256_file


def assemble(
    request: BuildRequest,
    source: Exported,
    *,
    work: Path,
    uv_says: Callable[[], str],
    removal: Removal,
    forked: Forked,
    stages: Stages,
    cache: Cache,
) -> BuildResult:
    """Make and publish the artifact of an exported commit; raises as `build`.

    Args:
        request: What to build.
        source: The commit.
        work: The build's own folder.
        uv_says: Returns, or raises, what `uv_version` does.
        removal: Takes away what is no longer needed.
        forked: Starts what goes on beside.
        stages: Told of each stage.
        cache: Results of earlier builds.

    Raises:
        Damaged: A result of an earlier build is no longer what it was.
    """
    progress = stages.progress
    kept = request.cache if request.cache_bound else None
    env = tool_environment(request.environment, work=work, time=source.time, cache=kept)
    workshop = _workshop(request, source, uv_says, work, env, removal, forked, progress)
    with in_use(kept):
        release = make_tree(request, source, workshop, stages, cache)
    with ExitStack() as kept_beside:
        with stages.stage("archive", request.recipe.build.format):
            archive = work / "archive"
            # While dependencies are compressed.
            migrations = known_migrations(
                release.tree,
                cache=cache,
                warn=lambda text: progress("archive", f"warning: {text}"),
            )
            packed = _pack(request, source, release, archive, cache, kept_beside)
        with stages.stage("manifest", source.version), ThreadPoolExecutor(1) as beside:
            zipping = beside.submit(filetable.compress, packed.document)
            lock = _lock(source, release.library)
            removal.begin(work / SOURCE, work / TREE)
            zipped = zipping.result()
            manifest = describe(
                app=request.app,
                recipe=request.recipe,
                source=source,
                ref=request.ref,
                dirty=request.dirty,
                kind=request.recipe.build.format,
                target=release.target,
                packed=packed,
                zipped=zipped,
                entry_points=release.scripts,
                distributions=release.library.distributions,
                own=release.library.own,
                files=release.library.files,
                interpreter=workshop.interpreter,
                pruned=release.library.pruned,
                lib_tools=release.library.tools,
                asset_tools=release.asset_tools,
                migrations=migrations,
            )
            there = publish(manifest, archive, zipped, request.output)
    cache.tidy()
    if kept is not None:
        prune_installers(kept, request.cache_bound, env=env, seldom=True)
    if cache.trouble is not None:
        progress("cache", f"warning: nothing more is kept: {cache.trouble}")
    return BuildResult(
        there.manifest,
        there.archive,
        there.table,
        there.manifest_path,
        lock,
        {one.name: one.licence for one in release.library.distributions},
        stages.seconds,
    )


def _workshop(
    request: BuildRequest,
    source: Exported,
    uv_says: Callable[[], str],
    work: Path,
    env: Mapping[str, str],
    removal: Removal,
    forked: Forked,
    progress: Progress,
) -> Workshop:
    recipe = request.recipe.build
    destination = find_destination(recipe.target, recipe.python, cwd=source.folder, env=env)
    installer = choose_installer(
        recipe.installer, destination, uv_says=uv_says, work=work, env=env, progress=progress
    )
    return Workshop(work, destination, installer, env, removal, forked)


def _lock(source: Exported, library: Library) -> LockFile | None:
    if library.lock is None:
        return None
    return LockFile(library.lock, sha256_file(source.folder / library.lock))


def _pack(
    request: BuildRequest,
    source: Exported,
    release: Release,
    archive: Path,
    cache: Cache,
    kept_beside: ExitStack,
) -> Packed:
    """Write the archive; what later builds find of it may still be written after that."""
    tree = release.tree
    if request.recipe.build.format == "tarball":
        if release.finished is not None:
            settled = kept_beside.enter_context(release.finished.settling(tree))
            with suppress(NotKept):
                return write_tarball(settled, archive, workers=request.workers, cache=cache)
        return write_tarball(tree, archive, workers=request.workers, cache=cache)
    reference = choose_script(
        request.recipe.build.entry_point,
        own=release.own_scripts,
        installed=release.library.distributions,
    )
    table = write_zipapp(
        tree,
        archive,
        reference=reference,
        time=source.time,
        build_id=tree.digest(),
        work=archive.parent,
    )
    return Packed.of(table, archive)
