"""The main job: a git commit becomes an immutable artifact in `artifacts/`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from castoff.builder.cache import Cache
from castoff.builder.environment import tool_environment
from castoff.builder.forked import Forked
from castoff.builder.interpreter import find_interpreter
from castoff.builder.pack import Damaged
from castoff.builder.removal import Removal
from castoff.builder.request import BuildRequest
from castoff.builder.result import BuildResult
from castoff.builder.source import Exported, export_source
from castoff.builder.stages import Progress, Stages
from castoff.builder.uv_start import introduce, uv_version
from castoff.builder.work_folder import work_folder

__all__ = ["BuildResult", "build"]

# Entries of the cache, one found after the other.
_MOST_MENDED = 3


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
        for _ in range(_MOST_MENDED):
            try:
                return _build(request, Stages(progress), cache)
            except Damaged as damaged:
                # What earlier builds finished is no longer as it was: it is made again.
                cache.remove_opened(damaged.entry)
    # A disk that does not give back what was just written.
    progress("cache", f"warning: {cache.folder} is damaged again and again: built without it")
    return _build(request, Stages(progress), Cache(None))


def _build(request: BuildRequest, stages: Stages, cache: Cache) -> BuildResult:
    progress = stages.progress
    with work_folder() as work, Removal() as removal, Forked() as forked:
        with stages.stage("source", request.ref), ThreadPoolExecutor(3) as beside:
            asked = beside.submit(uv_version, work)
            beside.submit(_introduce, request, work)
            exporting = beside.submit(_export, request, work)
            # Here, as to load all that makes a release takes as long as git and uv do.
            from castoff.builder.assemble import assemble

            source = exporting.result()
        for warning in source.warnings:
            progress("source", f"warning: {warning}")
        return assemble(
            request,
            source,
            work=work,
            uv_says=asked.result,
            removal=removal,
            forked=forked,
            stages=stages,
            cache=cache,
        )


def _introduce(request: BuildRequest, work: Path) -> None:
    """Let uv ask the interpreter what it is: it would wait for the answer when it installs."""
    recipe = request.recipe.build
    if recipe.installer != "uv" or recipe.python is not None:
        return
    kept = request.cache if request.cache_bound else None
    env = tool_environment(request.environment, work=work, time=0, cache=kept)
    introduce(find_interpreter(None, cwd=work, env=env).path, env=env, work=work)


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
