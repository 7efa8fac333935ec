"""Models that cost little until they are used: a command reads few kinds of all that there are."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

from pydantic import BaseModel, ConfigDict

# No other distribution has a say in what Castoff reads. pydantic would look through all that are
# installed for plugins of its own, which takes as long as to read some dozens of documents. It can
# be told by a variable of the environment, too, but that goes to all children. A pydantic without
# this module only looks.
with suppress(ImportError):
    from pydantic.plugin import _loader

    _loader._plugins = {}  # noqa: SLF001

_lock = threading.RLock()


class Deferred(BaseModel):
    """A model whose validator is built when the first one is read, once for all threads."""

    model_config = ConfigDict(defer_build=True)

    @classmethod
    def model_rebuild(cls, **options: Any) -> bool | None:
        """Build the validator; pydantic calls this when it is first wanted."""
        options["_parent_namespace_depth"] = 0
        with _lock:
            return super().model_rebuild(**options)
