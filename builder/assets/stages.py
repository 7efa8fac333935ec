"""Sources to drafts, and drafts through their tools, in parallel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from castoff.builder.assets import stylesheets, vite
from castoff.builder.assets.cache import Cache
from castoff.builder.assets.collect import Source
from castoff.builder.assets.draft import Draft
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.names import is_own_hashed_name
from castoff.builder.assets.tool import Input
from castoff.builder.assets.toolbox import Toolbox

_Item = TypeVar("_Item")
# A draft, and warnings with the file that each is of.
Result = tuple[Draft, list[tuple[str, str]]]


def compile_sources(
    sources: Sequence[Source], tools: Toolbox, cache: Cache, jobs: int
) -> tuple[list[Draft], list[str]]:
    """Read every source; Sass and Less become CSS.

    Returns:
        The drafts in the order of the sources, and warnings.

    Raises:
        AssetError: A stylesheet is broken, or a compiler is missing.
    """
    reads = {
        suffix: stylesheets.digest(tools.load_paths, all_files=suffix == ".less")
        for suffix in sorted({source.path.suffix for source in sources})
        if suffix in (".scss", ".sass", ".less")
    }

    def draft(source: Source) -> Result:
        data = _read(source)
        compiler = tools.compiler(source.path)
        if compiler is None:
            final = vite.is_built(source.root.folder) or is_own_hashed_name(source.name, data)
            return Draft(source.name, source.origin, data, data, final), []
        known = reads[source.path.suffix]
        output = cache.run(compiler, Input(source.origin, data, source.path.resolve(), known))
        warnings = [(source.origin, warning) for warning in output.warnings]
        return Draft(source.name, source.origin, output.data, output.data), warnings

    made, said = _all(draft, sources, jobs)
    return made, [f"{file}: {text}" for file, text in said]


def _read(source: Source) -> bytes:
    try:
        return source.path.read_bytes()
    except OSError as error:
        raise AssetError(f"cannot be read: {error.strerror}", file=source.origin) from error


def minify(
    drafts: Sequence[Draft], tools: Toolbox, cache: Cache, jobs: int
) -> tuple[list[Draft], list[str]]:
    """Make every draft that is not final smaller, where a tool can.

    Returns:
        The drafts in their order, and warnings.

    Raises:
        AssetError: A file is broken, or a tool is missing.
    """

    def smaller(draft: Draft) -> Result:
        tool = None if draft.final or not draft.data.strip() else tools.minifier(draft.name)
        if tool is None:
            return draft, []
        output = cache.run(tool, Input(draft.name, draft.data))
        warnings = [(draft.origin, warning) for warning in output.warnings]
        data = min(draft.data, output.data, key=len)
        return Draft(draft.name, draft.origin, draft.written, data), warnings

    made, said = _all(smaller, drafts, jobs)
    return made, _once(said)


def _once(warnings: Sequence[tuple[str, str]]) -> list[str]:
    """Return each warning once, with the first file that it is of and the number of others."""
    files: dict[str, list[str]] = {}
    for file, text in warnings:
        files.setdefault(text, []).append(file)
    return [
        f"{first}{f' and {len(others)} more' if others else ''}: {text}"
        for text, (first, *others) in files.items()
    ]


def _all(
    work: Callable[[_Item], Result], items: Sequence[_Item], jobs: int
) -> tuple[list[Draft], list[tuple[str, str]]]:
    with ThreadPoolExecutor(jobs) as threads:
        results = list(threads.map(work, items))
    return [draft for draft, _ in results], [line for _, lines in results for line in lines]
