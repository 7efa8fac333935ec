"""Texts of castoff.toml that must have a form of their own; each is given back, or refused."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_UMASK = re.compile(r"0?[0-7]{3}")
_MODE = re.compile(r"[0-7]{3,4}")
_BASE_URL = re.compile(r"(?:/|https?://)(?:\S*/)?")
_MUSL = re.compile(r"1\.\d+")
_PYTHON = re.compile(r"3\.\d+(?:\.\d+)?|3\.(?:1[3-9]|[2-9]\d)(?:\.\d+)?t")
PRUNED = ("tests", "docs", "caches")
_GLOB = re.compile(r"[*?/\[.]")
# That of manylinux2014, the oldest that uv can be asked for.
_OLDEST_GLIBC = 17
_GLIBC = re.compile(r"2\.(?P<minor>\d+)")
_QUORUM = re.compile(r"[1-9][0-9]*|([1-9][0-9]?|100)%")
_ALLOWANCE = re.compile(r"(?P<path>.+)@sha256:[0-9a-f]{64}")


def inside(path: str) -> str:
    """Return a relative path in its shortest spelling.

    Raises:
        ValueError: It could lead out of the folder that it starts from.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise ValueError("must be a relative path without '..'")
    return str(PurePosixPath(path))


def folder(path: str) -> str:
    """Return a relative path as `inside` does, or `.` for the folder that it starts from.

    Raises:
        ValueError: It could lead out of that folder, or is empty.
    """
    return "." if path in (".", "./") else inside(path)


def secret_allowance(text: str) -> str:
    """Return `path@sha256:digest` as it is.

    Raises:
        ValueError: It is not of that form, or its path could lead out of the release.
    """
    match = _ALLOWANCE.fullmatch(text)
    if match is None:
        raise ValueError("must be written path@sha256:digest, the digest in small letters")
    inside(match["path"])
    return text


def umask(text: str) -> str:
    """Return three octal digits as they are.

    Raises:
        ValueError: They are not that.
    """
    if _UMASK.fullmatch(text) is None:
        raise ValueError("must be three octal digits")
    return text


def mode(text: str) -> str:
    """Return three or four octal digits as they are.

    Raises:
        ValueError: They are not that.
    """
    if _MODE.fullmatch(text) is None:
        raise ValueError("must be three or four octal digits")
    return text


def base_url(text: str) -> str:
    """Return the URL that assets are served under as it is.

    Raises:
        ValueError: It is neither a path nor a whole URL, or does not end in a slash.
    """
    if _BASE_URL.fullmatch(text) is None:
        raise ValueError("must start with '/', 'http://' or 'https://' and end with '/'")
    return text


def public_url(text: str) -> str:
    """Return a whole URL that others start with as it is.

    Raises:
        ValueError: It is not one, or does not end in a slash.
    """
    if _BASE_URL.fullmatch(text) is None or text.startswith("/"):
        raise ValueError("must start with 'http://' or 'https://' and end with '/'")
    return text


def glibc(text: str) -> str:
    """Return a version of glibc as it is.

    Raises:
        ValueError: It is none, or is older than any that wheels are still made for.
    """
    match = _GLIBC.fullmatch(text)
    if match is None or int(match["minor"]) < _OLDEST_GLIBC:
        raise ValueError(f'must be "2.{_OLDEST_GLIBC}" or a later version of glibc')
    return text


def musl(text: str) -> str:
    """Return a version of musl as it is.

    Raises:
        ValueError: It is none.
    """
    if _MUSL.fullmatch(text) is None:
        raise ValueError('must be a version of musl, such as "1.2"')
    return text


def python_version(text: str) -> str:
    """Return a version of Python as it is.

    Raises:
        ValueError: It is none.
    """
    if _PYTHON.fullmatch(text) is None:
        raise ValueError(
            'must be a version of Python, such as "3.12", "3.12.4" or (free-threaded) "3.14t"'
        )
    return text


def quorum(text: str) -> str:
    """Return a number of hosts or a share of them as it is.

    Raises:
        ValueError: It is neither, or none, or more than all.
    """
    if _QUORUM.fullmatch(text) is None:
        raise ValueError("must be a number of hosts as in '2', or a share of them as in '80%'")
    return text


def prune(text: str) -> str:
    """Return a rule of what is left out of dependencies as it is.

    Raises:
        ValueError: It is neither one of the words nor a glob of relative paths.
    """
    if text in PRUNED or (_GLOB.search(text) and ".." not in text and not text.startswith("/")):
        return text
    raise ValueError(f"must be {', '.join(map(repr, PRUNED))} or a glob of paths in lib/")


def no_option(text: str) -> str:
    """Return a word that no program takes for an option of its own as it is.

    Raises:
        ValueError: It starts with a dash, or holds white space or what cannot be printed.
    """
    if text.startswith("-") or any(c.isspace() or not c.isprintable() for c in text):
        raise ValueError("must not start with '-' nor hold white space")
    return text


def user_to_become(value: object) -> bool | str:
    """Return true, false or the name of a user as it is.

    Raises:
        ValueError: It is none of these.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value:
        return no_option(value)
    raise ValueError("must be true, false or the name of a user")


def remote(value: object) -> bool | str:
    """Return true, false or the name of a remote of git as it is.

    Raises:
        ValueError: It is none of these.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value:
        return no_option(value)
    raise ValueError("must be true, false or the name of a remote")
