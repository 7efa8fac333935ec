"""Values that are written out in Python source."""

from __future__ import annotations

import ast


def text(node: ast.expr | None) -> str | None:
    """Return a text that is written out, or None."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def texts(node: ast.expr | None) -> tuple[str, ...] | None:
    """Return texts that are written out, in a list, tuple or set, or alone; else None."""
    if (one := text(node)) is not None:
        return (one,)
    if isinstance(node, ast.Constant) and node.value is None:
        return ()
    if not isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return None
    found = [text(each) for each in node.elts]
    return None if None in found else tuple(each for each in found if each is not None)


def pairs(node: ast.expr | None) -> tuple[tuple[str, str], ...]:
    """Return those elements of a list that are two texts, as in `[("shop", "0001_initial")]`."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return (*pairs(node.left), *pairs(node.right))
    if not isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return ()
    found = [each.elts for each in node.elts if isinstance(each, (ast.Tuple, ast.List))]
    both = [(text(first), text(second)) for first, *rest in filter(None, found) for second in rest]
    return tuple((one, other) for one, other in both if one is not None and other is not None)


def argument(node: ast.Call, place: int, name: str) -> ast.expr | None:
    """Return an argument of a call, by its name or else by its place; None if it is not given."""
    named = next((keyword.value for keyword in node.keywords if keyword.arg == name), None)
    if named is not None:
        return named
    return node.args[place] if len(node.args) > place else None


def assigned(body: list[ast.stmt]) -> dict[str, ast.expr]:
    """Return what names stand for after a module's or class's own statements."""
    found: dict[str, ast.expr] = {}
    for statement in body:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                if isinstance(target, ast.Name):
                    found[target.id] = statement.value
        elif (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and statement.value is not None
        ):
            found[statement.target.id] = statement.value
    return found


def is_false(node: ast.expr | None) -> bool:
    """Whether `False` is written there."""
    return isinstance(node, ast.Constant) and node.value is False


def is_true(node: ast.expr | None) -> bool:
    """Whether `True` is written there."""
    return isinstance(node, ast.Constant) and node.value is True


def last_name(node: ast.expr) -> str:
    """Return the last part of a dotted name: `AddField` of `migrations.AddField`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""
