"""What it takes to write to, and to read from, a field that a migration adds or alters."""

from __future__ import annotations

import ast

from castoff.builder.migrations.literals import is_true, last_name

# These have no column of their own, or the database fills it.
_FILLED = frozenset(
    {
        "ManyToManyField",
        "GenericForeignKey",
        "GenericRelation",
        "GeneratedField",
        "AutoField",
        "BigAutoField",
        "SmallAutoField",
        "SerialField",
    }
)
# What the database knows nothing of.
_NOT_IN_DATABASE = frozenset(
    {
        "auto_created",
        "auto_now",
        "auto_now_add",
        "blank",
        "choices",
        "db_comment",
        "db_index",
        "default",
        "editable",
        "encoder",
        "decoder",
        "error_messages",
        "help_text",
        "limit_choices_to",
        "on_delete",
        "related_name",
        "related_query_name",
        "serialize",
        "storage",
        "upload_to",
        "validators",
        "verbose_name",
    }
)
# Each holds all that those before it in its row do.
_WIDER = (
    ("SmallIntegerField", "IntegerField", "BigIntegerField"),
    ("PositiveSmallIntegerField", "PositiveIntegerField", "PositiveBigIntegerField"),
    ("PositiveIntegerField", "BigIntegerField"),
    ("SmallAutoField", "AutoField", "BigAutoField"),
    ("CharField", "TextField"),
    ("SlugField", "TextField"),
    ("EmailField", "CharField", "TextField"),
    ("URLField", "CharField", "TextField"),
)


def must_be_given(call: ast.Call | None) -> bool | None:
    """Whether code that does not know a new field cannot insert rows any more; None: unknown.

    Django gives a default of Python's to the rows that are there, and takes it from the column
    again: only `db_default` stays in the database.
    See https://docs.djangoproject.com/en/stable/ref/models/fields/#db-default
    """
    if call is None:
        return None
    says = _keywords(call)
    if last_name(call.func) in _FILLED or "db_default" in says or is_true(says.get("null")):
        return False
    return None if None in says else True


def tightened(old: ast.Call | None, new: ast.Call | None) -> str | None:
    """Say what a field refuses that it took before, or that it is another one.

    Returns:
        In words; empty if nothing; None where that cannot be told.
    """
    if old is None or new is None:
        return None
    before, after = _keywords(old), _keywords(new)
    if None in before or None in after:
        return None
    found = []
    kinds = (last_name(old.func), last_name(new.func))
    if kinds[0] != kinds[1] and not _is_wider(*kinds):
        found.append(f"from {kinds[0]} to {kinds[1]}")
    if is_true(before.get("null")) and not is_true(after.get("null")):
        found.append("null is refused")
    if is_true(after.get("unique")) and not is_true(before.get("unique")):
        found.append("must be unique")
    if kinds[1] != "TextField" and _is_shorter(before.get("max_length"), after.get("max_length")):
        found.append("shorter")
    known = _NOT_IN_DATABASE | {"null", "unique", "max_length", "db_default"}
    others = sorted(name for name in before.keys() | after.keys() if name and name not in known)
    found += (
        f"{name} differs"
        for name in others
        if _source(before.get(name)) != _source(after.get(name))
    )
    return ", ".join(found)


def _keywords(call: ast.Call) -> dict[str | None, ast.expr]:
    """Return a field's keywords; None among them where it has some by `**`."""
    return {keyword.arg: keyword.value for keyword in call.keywords}


def _is_wider(old: str, new: str) -> bool:
    return any(old in row and new in row and row.index(old) < row.index(new) for row in _WIDER)


def _is_shorter(old: ast.expr | None, new: ast.expr | None) -> bool:
    before, after = (each.value if isinstance(each, ast.Constant) else None for each in (old, new))
    if not isinstance(after, int):
        return new is not None and _source(old) != _source(new)
    return not isinstance(before, int) or after < before


def _source(node: ast.expr | None) -> str:
    return "" if node is None else ast.dump(node)
