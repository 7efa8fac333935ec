"""Environments that take over from others: merged before they are checked, as one document.

What is wrong in a merged environment has to be told where it was written, so each inherited key
keeps the path that it came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from castoff.config.errors import KeyPath, Misfit
from castoff.config.nearest import nearest

_OWN = frozenset({"inherits", "without_steps"})
_HOSTS = frozenset({"hosts", "hosts_from"})
_BY_KEY = frozenset(
    {
        "env",
        "fan_out",
        "limits",
        "provision",
        "retries",
        "secrets",
        "stragglers",
        "strategy",
        "transfer",
    }
)

_Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Merged:
    """A document in which every environment is whole.

    Attributes:
        document: The document; what does not fit the models is in it as it was.
        misfits: What is wrong with the inheritance itself.
        broken: Environments that could not be merged, and are as they were written.
    """

    document: dict[str, Any]
    misfits: tuple[Misfit, ...] = ()
    broken: frozenset[str] = frozenset()
    _origins: Mapping[KeyPath, KeyPath] = field(default_factory=dict)

    def origin(self, path: KeyPath) -> KeyPath:
        """Return where the value at a path of the document was written."""
        return _origin(self._origins, path)


def merge(document: dict[str, Any]) -> Merged:
    """Return a document with everything filled in that its environments inherit."""
    environments = document.get("environments")
    if not isinstance(environments, dict):
        return Merged(document)
    merger = _Merger(environments)
    whole = {name: merger.whole(name) for name in environments}
    return Merged(
        {**document, "environments": whole},
        tuple(merger.misfits),
        frozenset(merger.broken),
        merger.origins,
    )


class _Merger:
    def __init__(self, environments: Mapping[str, Any]) -> None:
        self._environments = environments
        self._done: dict[str, Any] = {}
        self.origins: dict[KeyPath, KeyPath] = {}
        self.misfits: list[Misfit] = []
        self.broken: set[str] = set()

    def whole(self, name: str) -> Any:
        """Return an environment with all that it inherits; each is merged once."""
        if name not in self._done:
            self._done[name] = self._merged(name)
        return self._done[name]

    def _merged(self, name: str) -> Any:
        own = self._environments[name]
        if not isinstance(own, dict):
            return own
        parent = own.get("inherits")
        if not isinstance(parent, str):
            self._check_removals(name, own, ())
            return own
        if not self._sound(name, parent):
            self.broken.add(name)
            return own
        base = self.whole(parent)
        if parent in self.broken:
            self.broken.add(name)
        return self._both(name, parent, own, base) if isinstance(base, dict) else own

    def _sound(self, name: str, parent: str) -> bool:
        """Whether the chain of a name's parents comes to an end; say so where it does not."""
        at: KeyPath = ("environments", name, "inherits")
        if parent not in self._environments:
            message = f"inherits {parent!r}, which is not under [environments]"
            others = [other for other in self._environments if other != name]
            self.misfits.append(Misfit(at, message, nearest(parent, others)))
            return False
        chain = [name]
        following: Any = parent
        while isinstance(following, str) and following in self._environments:
            if following in chain:
                # Those that only lead into a circle are not told of it, only those in it.
                if following == name:
                    way = " -> ".join([*chain, name])
                    self.misfits.append(Misfit(at, f"inherits from itself: {way}"))
                return False
            chain.append(following)
            table = self._environments[following]
            following = table.get("inherits") if isinstance(table, dict) else None
        return True

    def _both(self, name: str, parent: str, own: _Table, base: _Table) -> dict[str, Any]:
        child: KeyPath = ("environments", name)
        above: KeyPath = ("environments", parent)
        merged = dict(own)
        skipped = _OWN | (_HOSTS if _HOSTS & own.keys() else frozenset())
        for key, value in base.items():
            mine = own.get(key)
            if key in skipped:
                continue
            if key not in own:
                merged[key] = value
                self._came((*child, key), (*above, key))
            elif key in _BY_KEY and isinstance(mine, dict) and isinstance(value, dict):
                merged[key] = {**value, **mine}
                for inner in value.keys() - mine.keys():
                    self._came((*child, key, inner), (*above, key, inner))
        self._steps(name, parent, merged, base)
        return merged

    def _steps(self, name: str, parent: str, merged: dict[str, Any], base: _Table) -> None:
        """Put a child's steps over its parent's: in their places by name, new ones last."""
        own = self._environments[name]
        inherited = base.get("steps")
        known = _names(inherited)
        self._check_removals(name, own, known)
        mine = own.get("steps", [])
        if not isinstance(inherited, list) or not isinstance(mine, list):
            return
        removed = own.get("without_steps")
        without = set(_texts(removed))
        child: KeyPath = ("environments", name, "steps")
        above: KeyPath = ("environments", parent, "steps")
        places = {_name(step): index for index, step in reversed(list(enumerate(mine)))}
        rows: list[tuple[Any, KeyPath]] = []
        used: set[int] = set()
        for index, step in enumerate(inherited):
            place = places.get(_name(step)) if _name(step) is not None else None
            if _name(step) in without:
                continue
            if place is not None and place not in used:
                used.add(place)
                rows.append((mine[place], (*child, place)))
            else:
                rows.append((step, _origin(self.origins, (*above, index))))
        rows += [(s, (*child, i)) for i, s in enumerate(mine) if i not in used]
        merged["steps"] = [step for step, _ in rows]
        self.origins.pop(child, None)
        self.origins.update({(*child, index): origin for index, (_, origin) in enumerate(rows)})

    def _check_removals(self, name: str, own: _Table, known: tuple[str, ...]) -> None:
        for index, step in enumerate(_texts(own.get("without_steps"))):
            if step not in known:
                self.misfits.append(
                    Misfit(
                        ("environments", name, "without_steps", index),
                        f"no inherited step is named {step!r}",
                        nearest(step, known),
                    )
                )

    def _came(self, path: KeyPath, origin: KeyPath) -> None:
        self.origins[path] = _origin(self.origins, origin)
        # What lies below may have come from further up, each part from elsewhere.
        below = [
            one for one in self.origins if len(one) > len(origin) and one[: len(origin)] == origin
        ]
        for one in below:
            self.origins[path + one[len(origin) :]] = self.origins[one]


def _origin(origins: Mapping[KeyPath, KeyPath], path: KeyPath) -> KeyPath:
    for length in range(len(path), 0, -1):
        if path[:length] in origins:
            return origins[path[:length]] + path[length:]
    return path


def _name(step: Any) -> str | None:
    name = step.get("name") if isinstance(step, dict) else None
    return name if isinstance(name, str) else None


def _names(steps: Any) -> tuple[str, ...]:
    found = [_name(step) for step in steps] if isinstance(steps, list) else []
    return tuple(name for name in found if name is not None)


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
