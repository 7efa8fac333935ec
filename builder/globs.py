"""Globs of paths: `*` and `?` stop at a slash, `**` does not."""

from __future__ import annotations

import re

from castoff.builder.errors import SourceError


def compile_glob(glob: str, *, key: str) -> re.Pattern[str]:
    """Return the pattern of paths that a glob takes in, with what lies below them.

    Args:
        glob: Relative, with `/`.
        key: Where it stands in `[apps.NAME.build]`, for the message.

    Raises:
        SourceError: It is none.
    """
    parts = {"**/": r"(?:.+/)?", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    text = glob.removeprefix("./").rstrip("/")
    pieces = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]/]+\])", text)
    pattern = "".join(_piece(piece, parts) for piece in pieces) + r"(?:/.*)?"
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error as error:
        raise SourceError(
            f"{key}: {glob!r} is not a glob: {error}",
            hint="Mend it in [apps.NAME.build] of castoff.toml.",
        ) from error


def _piece(piece: str, parts: dict[str, str]) -> str:
    if piece.startswith("[") and piece.endswith("]"):
        inner = piece[1:-1].replace("\\", r"\\").replace("[", r"\[")
        return f"[^{inner[1:]}]" if inner.startswith("!") else f"[{inner}]"
    return parts.get(piece) or re.escape(piece)
