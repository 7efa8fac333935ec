"""How a dependency that has no wheel is built, so that its bytes depend on little else than it."""

from __future__ import annotations

from collections.abc import Mapping

# 1 January 1980, the first time that a zip archive can hold.
_EPOCH = 315_532_800


def source_build_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment in which installers run the back ends of dependencies.

    What they build is kept by the digest of its source and used for later commits too, so the time
    that they see is not the commit's.
    """
    return {**env, "SOURCE_DATE_EPOCH": str(_EPOCH)}
