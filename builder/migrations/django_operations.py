"""What the operations of a Django migration do to code of before, and whether they can be undone.

See https://docs.djangoproject.com/en/stable/ref/migration-operations/
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from castoff.builder.migrations import sql
from castoff.builder.migrations.django_fields import must_be_given, tightened
from castoff.builder.migrations.django_state import FieldState, Models, ModelState
from castoff.builder.migrations.literals import argument, last_name, text
from castoff.store.migrations import Effect

# Code of before notices nothing, or has only more than it needs.
_HARMLESS = frozenset(
    {
        "AddIndex",
        "AddIndexConcurrently",
        "AlterIndexTogether",
        "AlterModelManagers",
        "AlterModelOptions",
        "AlterModelTableComment",
        "BloomExtension",
        "BtreeGinExtension",
        "BtreeGistExtension",
        "CITextExtension",
        "CreateCollation",
        "CreateExtension",
        "CryptoExtension",
        "HStoreExtension",
        "RemoveConstraint",
        "RemoveIndex",
        "RemoveIndexConcurrently",
        "RenameIndex",
        "TrigramExtension",
        "UnaccentExtension",
    }
)
# Rows that older code may write can be refused.
_STRICTER = frozenset({"AddConstraint", "AddConstraintNotValid", "AlterUniqueTogether"})


@dataclass(slots=True)
class Outcome:
    """What came of a migration's operations so far."""

    id: str
    models: Models
    effects: list[Effect] = field(default_factory=list)
    irreversible: list[str] = field(default_factory=list)

    def add(self, what: str, *, sure: bool, to: str = "") -> None:
        """Note an effect, unless it is on what this very migration has made."""
        if to != self.id:
            self.effects.append(Effect(what=what, sure=sure, to=to))


def apply(operations: ast.expr | None, outcome: Outcome) -> None:
    """Go through a list of operations."""
    if operations is None:
        return
    if not isinstance(operations, (ast.List, ast.Tuple)):
        outcome.add("operations that are not written out", sure=False)
        return
    for node in operations.elts:
        if isinstance(node, ast.Call):
            _apply_one(node, outcome)
        else:
            outcome.add("an operation that is not written out", sure=False)


def _apply_one(node: ast.Call, outcome: Outcome) -> None:
    kind = last_name(node.func)
    act = _ACTS.get(kind)
    if act is not None:
        act(node, outcome)
    elif kind not in _HARMLESS:
        outcome.add(kind or "an operation", sure=False)


def _create_model(node: ast.Call, outcome: Outcome) -> None:
    name = _text(node, 0, "name")
    fields = argument(node, 1, "fields")
    made = {}
    for each in fields.elts if isinstance(fields, (ast.List, ast.Tuple)) else ():
        if isinstance(each, (ast.Tuple, ast.List)) and each.elts:
            call = each.elts[-1]
            made[(text(each.elts[0]) or "").lower()] = FieldState(
                call if isinstance(call, ast.Call) else None, outcome.id
            )
    outcome.models[name.lower()] = ModelState(outcome.id, made)


def _delete_model(node: ast.Call, outcome: Outcome) -> None:
    name = _text(node, 0, "name")
    model = outcome.models.pop(name.lower(), None)
    outcome.add(f"DeleteModel {name}", sure=True, to="" if model is None else model.made_by)


def _rename_model(node: ast.Call, outcome: Outcome) -> None:
    old, new = _text(node, 0, "old_name"), _text(node, 1, "new_name")
    model = outcome.models.pop(old.lower(), None)
    outcome.add(f"RenameModel {old} to {new}", sure=True, to="" if model is None else model.made_by)
    if model is not None:
        outcome.models[new.lower()] = model


def _add_field(node: ast.Call, outcome: Outcome) -> None:
    model, name = _text(node, 0, "model_name"), _text(node, 1, "name")
    call = _field(node)
    to = _made_by(outcome, model)
    demands = must_be_given(call)
    if demands is not False:
        what = f"AddField {model}.{name} without null or db_default"
        outcome.add(what, sure=demands is True, to=to)
    state = outcome.models.setdefault(model.lower(), ModelState(""))
    state.fields[name.lower()] = FieldState(call, outcome.id)


def _remove_field(node: ast.Call, outcome: Outcome) -> None:
    model, name = _text(node, 0, "model_name"), _text(node, 1, "name")
    to = _made_by(outcome, model, name)
    outcome.add(f"RemoveField {model}.{name}", sure=True, to=to)
    if model.lower() in outcome.models:
        outcome.models[model.lower()].fields.pop(name.lower(), None)


def _alter_field(node: ast.Call, outcome: Outcome) -> None:
    model, name = _text(node, 0, "model_name"), _text(node, 1, "name")
    call = _field(node)
    state = outcome.models.setdefault(model.lower(), ModelState(""))
    old = state.fields.get(name.lower())
    what = tightened(None if old is None else old.call, call)
    to = _made_by(outcome, model, name)
    if what is None:
        outcome.add(f"AlterField {model}.{name}", sure=False, to=to)
    elif what:
        outcome.add(f"AlterField {model}.{name}: {what}", sure=True, to=to)
    state.fields[name.lower()] = FieldState(call, "" if old is None else old.made_by)


def _rename_field(node: ast.Call, outcome: Outcome) -> None:
    model = _text(node, 0, "model_name")
    old, new = _text(node, 1, "old_name"), _text(node, 2, "new_name")
    to = _made_by(outcome, model, old)
    outcome.add(f"RenameField {model}.{old} to {new}", sure=True, to=to)
    fields = outcome.models.setdefault(model.lower(), ModelState("")).fields
    if old.lower() in fields:
        fields[new.lower()] = fields.pop(old.lower())


def _alter_table(node: ast.Call, outcome: Outcome) -> None:
    name = _text(node, 0, "name")
    outcome.add(f"AlterModelTable {name}", sure=True, to=_made_by(outcome, name))


def _order(node: ast.Call, outcome: Outcome) -> None:
    name = _text(node, 0, "name")
    outcome.add(
        f"AlterOrderWithRespectTo {name}: a column that must be given",
        sure=True,
        to=_made_by(outcome, name),
    )


def _stricter(node: ast.Call, outcome: Outcome) -> None:
    name = _text(node, 0, "model_name") or _text(node, 0, "name")
    what = f"{last_name(node.func)} {name}"
    outcome.add(what, sure=False, to=_made_by(outcome, name))


def _run_python(node: ast.Call, outcome: Outcome) -> None:
    code = argument(node, 0, "code")
    name = "" if code is None else last_name(code)
    if name != "noop":
        outcome.add(f"RunPython {name}".rstrip(), sure=False)
    if argument(node, 1, "reverse_code") is None:
        outcome.irreversible.append(f"RunPython {name} has no reverse_code".replace("  ", " "))


def _run_sql(node: ast.Call, outcome: Outcome) -> None:
    forward = argument(node, 0, "sql")
    statements = _statements(forward)
    if statements is None:
        outcome.add("RunSQL", sure=False)
    else:
        breaks, unsure = sql.judge(statements)
        for each in breaks:
            outcome.add(each, sure=True)
        for each in unsure:
            outcome.add(each, sure=False)
    if argument(node, 1, "reverse_sql") is None:
        outcome.irreversible.append("RunSQL has no reverse_sql")


def _separate(node: ast.Call, outcome: Outcome) -> None:
    """Take what is done to the database; what only Django is told changes the state alone."""
    database = argument(node, 0, "database_operations")
    state = argument(node, 1, "state_operations")
    aside = Outcome(outcome.id, outcome.models)
    if database is not None and not _is_none(database):
        apply(database, outcome)
    if state is not None and not _is_none(state):
        apply(state, aside)


def _statements(node: ast.expr | None) -> str | None:
    """Return SQL that is written out: a text, or a list of texts and of texts with parameters."""
    if node is None:
        return None
    if (one := text(node)) is not None:
        return one
    if isinstance(node, ast.Attribute) and node.attr == "noop":
        return ""
    if not isinstance(node, (ast.List, ast.Tuple)):
        return None
    found = []
    for each in node.elts:
        first = each.elts[0] if isinstance(each, (ast.Tuple, ast.List)) and each.elts else each
        one = text(first)
        if one is None:
            return None
        found.append(one)
    return ";".join(found)


def _text(node: ast.Call, place: int, name: str) -> str:
    return text(argument(node, place, name)) or ""


def _field(node: ast.Call) -> ast.Call | None:
    found = argument(node, 2, "field")
    return found if isinstance(found, ast.Call) else None


def _made_by(outcome: Outcome, model: str, name: str = "") -> str:
    state = outcome.models.get(model.lower())
    if state is None:
        return ""
    known = state.fields.get(name.lower())
    return state.made_by if known is None else known.made_by or state.made_by


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


_ACTS = {
    "CreateModel": _create_model,
    "DeleteModel": _delete_model,
    "RenameModel": _rename_model,
    "AddField": _add_field,
    "RemoveField": _remove_field,
    "AlterField": _alter_field,
    "RenameField": _rename_field,
    "AlterModelTable": _alter_table,
    "AlterOrderWithRespectTo": _order,
    "RunPython": _run_python,
    "RunSQL": _run_sql,
    "SeparateDatabaseAndState": _separate,
    **dict.fromkeys(_STRICTER, _stricter),
}
