"""What an Alembic revision does to code of before, and whether it can be undone.

See https://alembic.sqlalchemy.org/en/latest/ops.html
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from castoff.builder.migrations import sql
from castoff.builder.migrations.literals import is_false, is_true, last_name, text
from castoff.store.migrations import Effect

_HARMLESS = frozenset(
    {
        "batch_alter_table",
        "bulk_insert",
        "create_index",
        "create_table_comment",
        "drop_constraint",
        "drop_index",
        "drop_table_comment",
        "f",
        "get_context",
        "autocommit_block",
    }
)
_STRICTER = frozenset(
    {
        "create_check_constraint",
        "create_exclude_constraint",
        "create_foreign_key",
        "create_primary_key",
        "create_unique_constraint",
    }
)
# What only describes columns and types.
_TYPES = ("sa", "sqlalchemy", "postgresql", "mysql", "sqlite", "sqlmodel", "types")


def effects(
    upgrade: ast.FunctionDef | None, revision: str, made: dict[str, str]
) -> tuple[Effect, ...]:
    """Return what a revision's `upgrade` does to code of before.

    Args:
        upgrade: The function.
        revision: The revision's identifier among all migrations.
        made: Which revision made a table, by its name; those that this one makes are added.
    """
    if upgrade is None:
        return ()
    batches = dict(_batches(upgrade))
    found: dict[Effect, None] = {}
    for call in _calls(upgrade):
        name = last_name(call.func)
        owner = _owner(call)
        if owner in _TYPES or not owner.isidentifier():
            continue
        if owner != "op" and owner not in batches:
            found[Effect(what=f"{owner}.{name}", sure=False)] = None
            continue
        for effect in _effects(call, name, batches.get(owner), revision, made):
            if effect.to != revision:
                found[effect] = None
    return tuple(found)


def irreversible(upgrade: ast.FunctionDef | None, downgrade: ast.FunctionDef | None) -> str:
    """Say why a revision cannot be taken back; empty if it can."""
    if upgrade is None or _is_empty(upgrade):
        return ""
    if downgrade is None or _is_empty(downgrade):
        return "downgrade does nothing"
    if any(isinstance(node, ast.Raise) for node in downgrade.body):
        return "downgrade raises an error"
    return ""


def _effects(
    call: ast.Call, name: str, table: str | None, revision: str, made: dict[str, str]
) -> Iterator[Effect]:
    says = {keyword.arg or "": keyword.value for keyword in call.keywords}
    arguments = call.args if table is None else [ast.Constant(table), *call.args]
    shown = [text(each) or "…" for each in arguments]
    first = shown[0] if shown else "…"
    to = made.get(first, "")
    column = f"{first}.{shown[1]}" if len(shown) > 1 else first
    if name == "create_table":
        made[first] = revision
    elif name in ("drop_table", "rename_table"):
        yield Effect(what=f"{name} {first}", sure=True, to=to)
        if name == "rename_table" and len(shown) > 1:
            made[shown[1]] = made.pop(first, "")
    elif name == "drop_column":
        yield Effect(what=f"drop_column {column}", sure=True, to=to)
    elif name == "add_column":
        yield from _added(arguments, first, to)
    elif name == "alter_column":
        yield from _altered(says, column, to)
    elif name == "execute":
        yield from _executed(call)
    elif name in _STRICTER:
        yield Effect(what=f"{name} {first}", sure=False, to=to)
    elif name not in _HARMLESS:
        yield Effect(what=f"op.{name}", sure=False, to=to)


def _added(arguments: list[ast.expr], table: str, to: str) -> Iterator[Effect]:
    column = arguments[1] if len(arguments) > 1 else None
    if not isinstance(column, ast.Call):
        yield Effect(what=f"add_column {table}", sure=False, to=to)
        return
    says = {keyword.arg: keyword.value for keyword in column.keywords}
    must = is_false(says.get("nullable")) or is_true(says.get("primary_key"))
    if must and not {"server_default", "default_factory"} & says.keys():
        name = text(column.args[0]) if column.args else None
        what = f"add_column {table}.{name or '…'} without nullable or server_default"
        yield Effect(what=what, sure=True, to=to)


def _altered(says: dict[str, ast.expr], column: str, to: str) -> Iterator[Effect]:
    if "new_column_name" in says:
        yield Effect(what=f"alter_column {column}: renamed", sure=True, to=to)
    if "type_" in says:
        yield Effect(what=f"alter_column {column}: another type", sure=False, to=to)
    if is_false(says.get("nullable")):
        yield Effect(what=f"alter_column {column}: null is refused", sure=True, to=to)
    default = says.get("server_default")
    if isinstance(default, ast.Constant) and default.value in (None, False):
        yield Effect(what=f"alter_column {column}: without its default", sure=False, to=to)


def _executed(call: ast.Call) -> Iterator[Effect]:
    statement = call.args[0] if call.args else None
    if isinstance(statement, ast.Call) and last_name(statement.func) == "text" and statement.args:
        statement = statement.args[0]
    written = text(statement)
    if written is None:
        yield Effect(what="op.execute", sure=False)
        return
    breaks, unsure = sql.judge(written)
    for each in breaks:
        yield Effect(what=each, sure=True)
    for each in unsure:
        yield Effect(what=each, sure=False)


def _batches(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """Yield the names of `with op.batch_alter_table("t") as name`, with their tables."""
    for node in ast.walk(function):
        if isinstance(node, ast.With):
            for item in node.items:
                call, name = item.context_expr, item.optional_vars
                if not isinstance(call, ast.Call) or not isinstance(name, ast.Name):
                    continue
                if last_name(call.func) == "batch_alter_table" and call.args:
                    yield name.id, text(call.args[0]) or "…"


def _calls(function: ast.FunctionDef) -> Iterator[ast.Call]:
    """Yield all calls in the order of their lines."""
    found = [node for node in ast.walk(function) if isinstance(node, ast.Call)]
    return iter(sorted(found, key=lambda node: (node.lineno, node.col_offset)))


def _owner(call: ast.Call) -> str:
    """Return the name before the first dot; that of the function where there is no dot."""
    node = call.func
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_empty(function: ast.FunctionDef) -> bool:
    return all(
        isinstance(node, ast.Pass)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in function.body
    )
