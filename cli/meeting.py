"""Connect to the hosts of a command as soon as they are known, while all else gets ready."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING

from typing_extensions import Self

if TYPE_CHECKING:
    from castoff.config.environment_tables import Environment
    from castoff.config.hosts import ResolvedHost
    from castoff.releaser.early import Early


class Meeting:
    """What `open_scope` tells of hosts; a context manager, at whose end no session is left over.

    Attributes:
        early: The sessions that were begun; None before it has been told.
    """

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.early: Early | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    def __call__(
        self, hosts: Sequence[ResolvedHost], environment: Environment, /, *, by_url: bool
    ) -> None:
        """Begin; see `Meet`."""
        from castoff.releaser.early import Early

        self.early = self._stack.enter_context(Early(hosts, environment, by_url=by_url))
