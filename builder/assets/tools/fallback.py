"""A second tool for what the first refuses."""

from __future__ import annotations

from collections.abc import Mapping

from castoff.builder.assets.errors import AssetError, ToolDoesNotRun
from castoff.builder.assets.tool import AssetTool, Input, Output


class Fallback:
    """Runs `first`; where it fails, `second`, with a warning that says so and why."""

    def __init__(self, first: AssetTool, second: AssetTool) -> None:
        self._first = first
        self._second = second

    @property
    def versions(self) -> Mapping[str, str]:
        """Those of both."""
        return {**self._first.versions, **self._second.versions}

    @property
    def options(self) -> str:
        """Those of both, in their order."""
        return f"{self._first.options} | {self._second.options}"

    def run(self, source: Input) -> Output:
        """Work on one file; see `AssetTool.run`.

        Raises:
            AssetError: The first tool's, where both fail: its place is the better one; or where
                it is not the file that is at fault.
        """
        try:
            return self._first.run(source)
        except ToolDoesNotRun:
            raise
        except AssetError as refusal:
            try:
                output = self._second.run(source)
            except AssetError as error:
                raise refusal from error
            first, second = (next(iter(tool.versions)) for tool in (self._first, self._second))
            reason = refusal.message.removeprefix(f"{source.name}:").strip()
            warning = f"{first} refused it ({reason}); minified by {second}"
            return Output(output.data, (*output.warnings, warning))

    def close(self) -> None:
        """Stop both."""
        self._first.close()
        self._second.close()
