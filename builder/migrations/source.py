"""The Python files of a tree, by where they can be imported from."""

from __future__ import annotations

import ast
import posixpath
import warnings
from collections.abc import Iterable
from functools import cached_property

from castoff.builder.tree import Tree
from castoff.store.places import INSTALLED

# What sys.path holds in a release, in its order (see `launcher_text`), and what many projects put
# before that.
_ROOTS = (*INSTALLED, "app")
_INNER = "app/src"


class Sources:
    """Reads and parses files of a tree, each once.

    Attributes:
        roots: Folders that modules are found in.
    """

    def __init__(self, tree: Tree, more_roots: Iterable[str] = ()) -> None:
        """Look at a tree; nothing is read yet."""
        self._tree = tree
        self._files = dict.fromkeys(tree.paths)
        self._parsed: dict[str, ast.Module | None] = {}
        inner = (_INNER,) if _INNER in tree.directories else ()
        self.roots = tuple(dict.fromkeys((*more_roots, *inner, *_ROOTS)))

    @property
    def paths(self) -> Iterable[str]:
        """The paths of all files, in order."""
        return self._files

    @cached_property
    def _by_folder(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self._files:
            folder, _, name = path.rpartition("/")
            found.setdefault(folder, []).append(name)
        return found

    @cached_property
    def _own_folders(self) -> list[str]:
        return [one for one in self._by_folder if one.startswith("app/")]

    def names(self, folder: str) -> list[str]:
        """Return the names of a folder's own files."""
        return self._by_folder.get(folder, [])

    def folders_below(self, folder: str) -> list[str]:
        """Return the folders below one, however deep, that have files."""
        return sorted(one for one in self._by_folder if one.startswith(f"{folder}/"))

    def read(self, path: str) -> str | None:
        """Return a file's text, or None if there is no such file or it is no text."""
        file = self._tree.file(path)
        if file is None:
            return None
        try:
            return self._tree.read(file).decode("utf-8-sig")
        except UnicodeDecodeError:
            return None

    def parse(self, path: str) -> ast.Module | None:
        """Return a file's syntax tree; None if there is no such file, or it has another syntax."""
        if path not in self._parsed:
            self._parsed[path] = self._parse(path)
        return self._parsed[path]

    def module(self, name: str) -> str | None:
        """Return the path of a module or of a package's `__init__.py`, or None."""
        inside = name.replace(".", "/")
        for root in self.roots:
            for path in (f"{root}/{inside}.py", f"{root}/{inside}/__init__.py"):
                if path in self._files:
                    return path
        return None

    def package(self, name: str) -> str | None:
        """Return the folder of a package, or None.

        As Python has it, one with an `__init__.py` comes before all without.
        """
        folders = [posixpath.join(root, *name.split(".")) for root in self.roots]
        there = [one for one in folders if one in self._by_folder or one in self._tree.directories]
        regular = [one for one in there if "__init__.py" in self.names(one)]
        return next(iter((*regular, *there)), None)

    def package_anywhere(self, name: str) -> str | None:
        """Return the folder of a package, wherever the project's own code puts it on sys.path.

        That can be any folder of `app/`, so it has to be the only one that ends like this.
        """
        found = self.package(name)
        if found is not None:
            return found
        end = "/" + name.replace(".", "/")
        ours = [one for one in self._own_folders if one.endswith(end)]
        return ours[0] if len(ours) == 1 else None

    def _parse(self, path: str) -> ast.Module | None:
        text = self.read(path)
        if text is None:
            return None
        try:
            with warnings.catch_warnings():
                # What a project's own escapes are worth is no matter of ours.
                warnings.simplefilter("ignore")
                return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
