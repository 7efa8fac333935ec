"""Requirements files: whether every line is pinned to digests, and which are local folders."""

from __future__ import annotations

import re
from dataclasses import dataclass

from castoff.builder.errors import SourceError

_COMMENT = re.compile(r"(?:^|\s)#.*$")
_HASH = re.compile(r"\s--hash=sha(?:256|384|512):[0-9a-fA-F]+")
_LOCAL = re.compile(r"(?:-e\s+|--editable[ =])?(\.{1,2}(?:/[^\s;]*)?)(?=\s|;|$)")
_NESTED = re.compile(r"(?:-r|--requirement|-c|--constraint)\b")
_OPTION = re.compile(r"-")


@dataclass(frozen=True, slots=True)
class Requirements:
    """A requirements file, sorted out.

    Attributes:
        pinned: The text without the local folders; every requirement in it has a digest.
        local: Folders of other projects in the repository, as written, relative to the file.
    """

    pinned: str
    local: tuple[str, ...]


def read_requirements(text: str, *, name: str) -> Requirements:
    """Sort a requirements file out.

    Args:
        text: Its content.
        name: What it is called in messages.

    Raises:
        SourceError: A requirement has no digest (all that have none are named), or the file
            takes others in, whose digests nobody would have checked here.
    """
    pinned: list[str] = []
    local: list[str] = []
    bare: list[str] = []
    for line in text.replace("\\\n", " ").splitlines():
        entry = _COMMENT.sub("", line).strip()
        if not entry:
            continue
        folder = _LOCAL.match(entry)
        if folder is not None:
            local.append(folder[1])
        elif _NESTED.match(entry):
            raise SourceError(f"{name}: takes another file in: {entry}", hint=_hint(name))
        elif _OPTION.match(entry) or _HASH.search(entry):
            pinned.append(entry)
        else:
            bare.append(entry.split(";")[0].strip())
    if bare:
        shown = ", ".join(bare[:5]) + (f" and {len(bare) - 5} more" if len(bare) > 5 else "")  # noqa: PLR2004
        raise SourceError(
            f"{name}: without a hash nobody knows what will be installed: {shown}", hint=_hint(name)
        )
    return Requirements("\n".join((*pinned, "")), tuple(local))


def _hint(name: str) -> str:
    source = "requirements.in" if name.endswith("requirements.txt") else "pyproject.toml"
    return (
        f"Write what you need to {source}, then: "
        f"uv pip compile --generate-hashes {source} -o requirements.txt, and commit the result."
    )
