"""Whether the lock still fits the project: is everything there that its wheels ask for?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from castoff.builder.distributions import Distribution
from castoff.builder.errors import SourceError, StaleLock
from castoff.builder.markers import NoMarker, applies
from castoff.builder.no_lock import no_lock


def check_met(
    asker: str,
    requires: Sequence[str],
    installed: Sequence[Distribution],
    *,
    lock: str | None,
    markers: Mapping[str, str],
    itself: str = "",
) -> None:
    """Compare what a project of the commit asks for with what was installed.

    Args:
        asker: What it is called in messages.
        requires: Its requirements.
        installed: All that is in `lib/`.
        lock: The lock's name; None if there is none.
        markers: The target's environment of PEP 508 markers.
        itself: The name of a project that is not installed, which may ask for extras of its own.

    Raises:
        StaleLock: The lock lacks something, or has another version of it.
        SourceError: There is no lock.
    """
    wanted = [one for text in requires if (one := _wanted(text, markers)) is not None]
    if wanted and lock is None:
        raise no_lock(tuple(str(one) for one in wanted))
    there = {one.name: one.version for one in installed}
    for one in wanted:
        if canonicalize_name(one.name) == canonicalize_name(itself):
            continue
        version = there.get(canonicalize_name(one.name))
        if version is None or not one.specifier.contains(version, prereleases=True):
            found = f"has {version}" if version else "does not have it"
            raise StaleLock(
                f"{lock} is out of date: {asker} asks for {one}, and the lock {found}",
                hint="Renew the lock and commit it: `castoff lock`, or what made it.",
            )


def check_complete(
    installed: Sequence[Distribution], *, lock: str, markers: Mapping[str, str]
) -> None:
    """See that nothing that is installed lacks what it depends on.

    Args:
        installed: All that the lock brought.
        lock: The lock's name.
        markers: The target's environment of PEP 508 markers.

    Raises:
        SourceError: Something is missing; what asks for it is named.
    """
    there = {one.name for one in installed}
    for distribution in installed:
        for text in distribution.requires:
            one = _wanted(text, markers)
            if one is not None and canonicalize_name(one.name) not in there:
                raise SourceError(
                    f"{lock} does not lock {one.name}, which {distribution.name} "
                    f"{distribution.version} depends on",
                    hint="Renew the lock and commit it: `castoff lock`, or what made it.",
                )


def _wanted(text: str, markers: Mapping[str, str]) -> Requirement | None:
    """Return a requirement that holds here without any extra."""
    try:
        one = Requirement(text)
        return one if applies(one.marker, {**markers, "extra": ""}) else None
    except (InvalidRequirement, NoMarker) as error:
        raise SourceError(f"a project or wheel asks for {text!r}: {error}") from error
