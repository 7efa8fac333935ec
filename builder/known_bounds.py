"""What `python_bounds` found before: it reads some hundred requirements, which seldom change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import packaging

from castoff.builder.cache import Cache, key_of, own_code
from castoff.builder.distributions import Distribution

_STAGE = "bounds"


def known_bound(
    requires_python: str,
    distributions: Sequence[Distribution],
    markers: Mapping[str, str],
    *,
    cache: Cache,
) -> str:
    """Return what `bound` does, which is asked where no earlier build was; raises as it does.

    Args:
        requires_python: The project's own constraint; may be empty.
        distributions: What is installed.
        markers: The target's environment of PEP 508 markers.
        cache: Where it is kept what was found.
    """
    asking = [[o.name, o.version, list(o.requires), o.requires_python] for o in distributions]
    key = key_of(
        {
            "own": requires_python,
            "markers": dict(markers),
            "distributions": asking,
            "code": own_code("markers.py", "python_bounds.py"),
            "packaging": packaging.__version__,
        }
    )
    kept = cache.read(_STAGE, key)
    if kept is not None:
        return kept.decode()
    from castoff.builder.python_bounds import bound

    found = bound(requires_python, distributions, markers)
    cache.write(_STAGE, key, found.encode())
    return found
