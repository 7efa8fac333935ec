"""All packages of a lock that have no wheel for a declared platform, and what they have instead."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from castoff.builder.destination import Platform
from castoff.builder.errors import SourceError

_SHOWN_PACKAGES = 20
_SHOWN_TAGS = 4
_ATTEMPTS = 20
_HINT = (
    "Lock a version that has one, change [apps.NAME.build.target], or build on a machine like the "
    "hosts, without a target: then what has no wheel is compiled."
)


@dataclass(frozen=True, slots=True)
class Missing:
    """A package that has no wheel for the platform.

    Attributes:
        package: Its name and version, `lxml 5.3.0`.
        wheels: The tags of the wheels it has, as far as they were told; None where they were not,
            empty where there are sources alone.
    """

    package: str
    wheels: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """The package's normalised name."""
        return canonicalize_name(self.package.partition(" ")[0])


class NoWheel(SourceError):
    """A declared platform lacks wheels of what is locked.

    Attributes:
        found: The packages.
    """

    def __init__(self, found: Sequence[Missing], source: str, platform: Platform) -> None:
        """Name them all, up to a bound.

        Args:
            found: The packages; at least one.
            source: The lock's name.
            platform: What castoff.toml declares.
        """
        super().__init__(_message(found, source, platform), hint=_HINT)
        self.found = tuple(found)


def find_all(
    attempt: Callable[[Collection[str]], Sequence[Missing]], known: Sequence[Missing] = ()
) -> list[Missing]:
    """Return what a tool names that stops at the first package without a wheel.

    Args:
        attempt: Runs it without some packages, by their normalised names; returns all that lack
            a wheel, or raises NoWheel of the first.
        known: What was found before.
    """
    found = {one.name: one for one in known}
    for _ in range(_ATTEMPTS):
        try:
            return [*found.values(), *attempt(found)]
        except NoWheel as error:
            fresh = {one.name: one for one in error.found if one.name not in found}
            if not fresh:
                break
            found.update(fresh)
    return list(found.values())


def missing(packages: Mapping[str, Sequence[str]], platform: Platform) -> list[Missing]:
    """Return those packages of which no file is a wheel for a platform.

    Args:
        packages: The names of a package's files, by its name and version.
        platform: What castoff.toml declares.
    """
    supported = frozenset(_supported(platform))
    found = []
    for package, files in packages.items():
        wheels = [(name, tags) for name in files if (tags := _tags(name)) is not None]
        if not any(tags & supported for _, tags in wheels):
            named = sorted(
                {_shown(name) for name, _ in wheels}, key=lambda one: _near(one, platform)
            )
            found.append(Missing(package, tuple(named)))
    return found


def _message(found: Sequence[Missing], source: str, platform: Platform) -> str:
    if len(found) == 1:
        said = _has(found[0])
        message = f"{found[0].package}, which {source} locks, has no wheel for {platform}"
        return message + (f": there is {said}" if said else "")
    lines = [f"{len(found)} packages that {source} locks have no wheel for {platform}:"]
    for one in found[:_SHOWN_PACKAGES]:
        said = _has(one)
        lines.append(f"    {one.package}" + (f": there is {said}" if said else ""))
    if len(found) > _SHOWN_PACKAGES:
        lines.append(f"    and {len(found) - _SHOWN_PACKAGES} more")
    return "\n".join(lines)


def _has(one: Missing) -> str:
    if one.wheels is None:
        return ""
    if not one.wheels:
        return "its sources alone"
    more = len(one.wheels) - _SHOWN_TAGS
    return ", ".join(one.wheels[:_SHOWN_TAGS]) + (f" and {more} more" if more > 0 else "")


def _supported(platform: Platform) -> Iterator[Tag]:
    major, minor = (int(part) for part in platform.minor.split("."))
    version, tags = (major, minor), platform.tags
    yield from cpython_tags(version, [platform.abis[0]], tags)
    yield from compatible_tags(version, f"cp{major}{minor}", tags)


def _tags(name: str) -> frozenset[Tag] | None:
    """Return a wheel's tags by its file's name; None for sources."""
    try:
        return parse_wheel_filename(name)[3]
    except InvalidWheelFilename:
        return None


def _shown(name: str) -> str:
    return "-".join(name.removesuffix(".whl").split("-")[-3:])


def _near(tags: str, platform: Platform) -> tuple[bool, bool, str]:
    """Return what sorts tags of the declared machine and Python before others."""
    python = f"cp{platform.minor.replace('.', '')}-"
    return platform.machine not in tags, not tags.startswith(python), tags
