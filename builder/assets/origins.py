"""The line of a source from which a line of compiled CSS comes, for messages."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from castoff.builder.assets.collect import Source
from castoff.builder.assets.draft import Draft
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.tool import Input
from castoff.builder.assets.toolbox import Toolbox
from castoff.builder.assets.tools.source_map import Segment, find


class Origins:
    """Compiles a source once more, with a source map: what is not wrong needs none."""

    def __init__(self, sources: Sequence[Source], tools: Toolbox) -> None:
        self._sources: Mapping[str, Source] = {one.name: one for one in sources}
        self._tools = tools
        self._known: dict[str, Sequence[Segment]] = {}

    def place(self, draft: Draft, line: int, column: int) -> tuple[str, int] | None:
        """Return the file and line, from 1, that a place in a draft's text was made of.

        Args:
            draft: What was compiled.
            line: The line in `written`, from 1.
            column: The column, from 1.
        """
        if draft.name not in self._known:
            self._known[draft.name] = self._segments(draft.name)
        found = find(self._known[draft.name], line, column)
        if found is None:
            return None
        source = self._sources[draft.name]
        path = source.path.resolve()
        # less.js names what lies beside or below the source relative to its folder.
        file = found.file if "://" in found.file else os.fspath(path.parent / found.file)
        shown = self._tools.load_paths.shown(file)
        is_own = shown == self._tools.load_paths.shown(os.fspath(path))
        return source.origin if is_own else shown, found.source_line

    def _segments(self, name: str) -> Sequence[Segment]:
        source = self._sources.get(name)
        if source is None:
            return ()
        path = source.path.resolve()
        try:
            compiler = self._tools.compiler(path)
            if compiler is None:
                return ()
            return compiler.segments(Input(source.origin, path.read_bytes(), path))
        except (AssetError, OSError, ValueError, LookupError):
            # The error that asks for it is told without a line then.
            return ()
