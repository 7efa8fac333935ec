"""What SQL does to those who use the schema as it was, told by how its statements begin."""

from __future__ import annotations

import re
import textwrap

_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_HARMLESS = re.compile(
    r"(?:create\s+(?:unlogged\s+|temp\w*\s+)?(?:table|view|sequence|schema|extension|type|"
    r"materialized\s+view)|create\s+index|drop\s+index|comment\s+on|analy[sz]e|vacuum|"
    r"reindex|set\s|reset\s|select\s+1|begin|commit|grant|"
    r"alter\s+table\s+\S+\s+drop\s+constraint|alter\s+table\s+\S+\s+validate)\b",
    re.IGNORECASE,
)
_BREAKING = re.compile(
    r"(?:drop\s+(?:table|view|schema|type|materialized|function|sequence|extension)|truncate|revoke|"
    r"alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?\S+\s+(?:drop\s+(?!constraint)|rename|"
    r"alter\s+(?:column\s+)?\S+\s+(?:set\s+not\s+null|type|set\s+data)|modify|change)|"
    r"alter\s+\w+\s+\S+\s+rename)",
    re.IGNORECASE,
)


def judge(statements: str) -> tuple[list[str], list[str]]:
    """Say what code of before cannot live with, and what cannot be told.

    Only what certainly adds, or only tunes, passes for harmless: a unique index refuses what older
    code may write, and what changes rows may change what it reads.

    Args:
        statements: SQL, its statements parted by semicolons.

    Returns:
        Both lists in words: the beginnings of the statements.
    """
    breaks: list[str] = []
    unsure: list[str] = []
    for statement in _COMMENT.sub(" ", statements).split(";"):
        words = " ".join(statement.split())
        if not words or _HARMLESS.match(words):
            continue
        shown = textwrap.shorten(words, 60, placeholder=" …")
        (breaks if _BREAKING.match(words) else unsure).append(f"SQL {shown}")
    return breaks, unsure
