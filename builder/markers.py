"""Whether a PEP 508 marker holds for a target, whatever is wrong with it told in one way."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.markers import Marker, UndefinedComparison, UndefinedEnvironmentName


class NoMarker(Exception):
    """A marker cannot be evaluated; the text says why."""


def applies(marker: Marker | None, markers: Mapping[str, str]) -> bool:
    """Return whether a marker holds, or is none at all.

    Args:
        marker: The marker.
        markers: The target's environment, with `extra` where that may be asked for.

    Raises:
        NoMarker: It asks for what the environment does not have, or compares what cannot be.
    """
    if marker is None:
        return True
    try:
        return marker.evaluate(dict(markers))
    except (UndefinedComparison, UndefinedEnvironmentName) as error:
        raise NoMarker(str(error)) from error
