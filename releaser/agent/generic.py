"""Classes about any kind of rows, declared as by `typing`, without loading that: `named_tuple`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Generic, TypeVar
else:

    class Generic:
        """The base of such a class; of what is for those alone who check types."""

        def __class_getitem__(cls, of: object) -> type:
            return cls

    def TypeVar(name: str, **_bound: object) -> str:  # noqa: N802 (as it is called there)
        """Return what stands for a kind."""
        return name


__all__ = ["Generic", "TypeVar"]
