"""Doubt about tools that succeed and write almost nothing.

A compiler for another dialect of Sass left 76 bytes of 764 KB with exit code 0; a stylesheet
that is lost in the build is worse than a build that fails.
"""

from __future__ import annotations

from castoff.builder.assets.errors import AssetError

# Minifiers leave 30 to 90 % of code once its comments and white space are gone.
_LEAST_SHARE = 0.05
# Below this many characters a legitimate result can be empty (`a{}`, `if(0){}`).
_SMALL = 64


def check(name: str, source: str, result: str, *, tool: str, line_comments: bool = False) -> None:
    """Refuse a result that is suspiciously small.

    Args:
        name: Logical name of the file.
        source: The tool's input.
        result: Its output.
        tool: Its name, for the message.
        line_comments: Whether `//` starts a comment.

    Raises:
        AssetError: Code went in, and almost none came out.
    """
    code = _code_size(source, line_comments=line_comments)
    if code > _SMALL and len(result.strip()) < code * _LEAST_SHARE:
        raise AssetError(
            f"{tool} made {len(result.strip())} characters of {code}: that cannot be right",
            file=name,
            hint="Choose another tool for this job, and report the file to that tool's authors.",
        )


def _code_size(text: str, *, line_comments: bool) -> int:
    """Count the characters that are neither white space nor in comments.

    Comment marks inside strings are taken for comments, which only makes the check milder.
    """
    size = 0
    position = 0
    while position < len(text):
        if text.startswith("/*", position):
            end = text.find("*/", position + 2)
            position = len(text) if end < 0 else end + 2
        elif line_comments and text.startswith("//", position):
            end = text.find("\n", position)
            position = len(text) if end < 0 else end
        else:
            end = text.find("/", position + 1)
            end = len(text) if end < 0 else end
            size += len("".join(text[position:end].split()))
            position = end
    return size
