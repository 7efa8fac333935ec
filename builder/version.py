"""What a build is called if nobody says so."""

from __future__ import annotations

import datetime as dt
import re

from packaging.version import InvalidVersion, Version

from castoff.builder.commit import Commit
from castoff.store.version import check_version

_RELEASE_TAG = re.compile(r"v?([0-9]+(?:\.[0-9]+)+[0-9A-Za-z.+_-]*)")


def derive(commit: Commit, *, given: str | None, dirty_tree: str) -> str:
    """Return the version of a build.

    An exact tag such as `v1.2.3` or `1.2.3` gives `1.2.3` (of several, the one that was asked
    for, else the highest); any other commit its time and id, `20240229.134501-g0123456789`, so
    that later ones sort later.

    Args:
        commit: What is built.
        given: The version that the user wants, if any.
        dirty_tree: Id of the git tree that the working tree makes; empty for a clean build. Its
            first eight digits are appended, whatever else the version is.

    Raises:
        UsageError: The result could not name a folder (see `check_version`).
    """
    version = given or _from_tags(commit) or _from_time(commit)
    return check_version(f"{version}+dirty.{dirty_tree[:8]}" if dirty_tree else version)


def other_spelling(commit: Commit, *, given: str | None) -> str | None:
    """Return a warning if the wanted version is that of a tag, but spelled as another version.

    Args:
        commit: What is built.
        given: The version that the user wants, if any.
    """
    tag = None if given is None else _RELEASE_TAG.fullmatch(given)
    if tag is None or tag[1] == given or given not in commit.tags:
        return None
    return (
        f"this build is called {given}; without --version the tag {given} would give {tag[1]}, "
        "and that is another version"
    )


def _from_tags(commit: Commit) -> str | None:
    found = {
        tag: match[1] for tag in commit.tags if (match := _RELEASE_TAG.fullmatch(tag)) is not None
    }
    if commit.ref in found:
        return found[commit.ref]
    return max(found.values(), key=_rank, default=None)


def _rank(text: str) -> tuple[bool, Version, str]:
    try:
        return True, Version(text), text
    except InvalidVersion:
        return False, Version("0"), text


def _from_time(commit: Commit) -> str:
    moment = dt.datetime.fromtimestamp(commit.time, tz=dt.timezone.utc)
    return f"{moment:%Y%m%d.%H%M%S}-g{commit.sha[:10]}"
