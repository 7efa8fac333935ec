"""The folder of a host's back-ups: a data file each, and a description that is written last.

Without its description a back-up does not exist: what lies there without one was left by a step
that did not come to its end, and goes with the next back-up.
"""

from __future__ import annotations

import hashlib
import json
import os
import re

from ..durable import sync_folder, write_all
from ..errors import AgentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from ..layout import Layout
    from ..parameters import Parameters

_BLOCK = 256 * 1024
# What we call things: the time, the step, chance. Nothing else in the folder is ours.
_ID = re.compile(r"\d{8}-\d{6}-[0-9A-Za-z][0-9A-Za-z._-]*-[0-9a-f]{6}")
_PARTIAL = ".partial"
_DESCRIPTION = ".json"


def is_id(text: str) -> bool:
    """Whether a text may name a back-up."""
    return _ID.fullmatch(text) is not None


class Folder:
    """The back-ups of one app and environment on this host, mode 0700."""

    def __init__(self, layout: Layout, options: Parameters, variables: dict[str, str]) -> None:
        """Take where it is: the step's `folder`, or `backups` in the app's root."""
        given = options.text_or_none("folder")
        if given is None:
            self.path = os.path.join(layout.root, "backups")
        else:
            name = f"{variables['CASTOFF_APP']}-{variables['CASTOFF_ENVIRONMENT']}"
            self.path = os.path.join(given, name)

    def make(self) -> None:
        """Create the folder, for nobody else's eyes."""
        os.makedirs(self.path, exist_ok=True)
        os.chmod(self.path, 0o700)

    def descriptions(self) -> list[dict[str, Any]]:
        """Return what each back-up's description says, the oldest first."""
        found = []
        for identifier in self._described():
            try:
                with open(os.path.join(self.path, identifier + _DESCRIPTION), "rb") as file:
                    one = json.loads(file.read())
            except (ValueError, FileNotFoundError):
                continue
            if isinstance(one, dict) and one.get("id") == identifier:
                found.append(one)
        return sorted(found, key=_when)

    def unreadable(self) -> list[str]:
        """Return the identifiers of those whose description is damaged."""
        whole = {str(one["id"]) for one in self.descriptions()}
        return sorted(identifier for identifier in self._described() if identifier not in whole)

    def _described(self) -> list[str]:
        """Return the identifiers of those that have a description, whole or not."""
        stems = [n[: -len(_DESCRIPTION)] for n in self._names() if n.endswith(_DESCRIPTION)]
        return [stem for stem in stems if is_id(stem)]

    def new(self, identifier: str) -> Sink:
        """Return what takes a new back-up's data."""
        return Sink(self.path, identifier)

    def check(self, description: Parameters) -> str:
        """Return the path of a back-up's data, once every byte of it has been found right.

        Raises:
            AgentError: `missing`; `corrupt`: it was cut short, or changed.
        """
        name = description.text("file")
        if os.path.basename(name) != name or not is_id(description.text("id")):
            raise AgentError("invalid", f"not a back-up's file: {name!r}")
        path = os.path.join(self.path, name)
        size, wanted = description.whole("size"), description.text("sha256")
        try:
            there = os.stat(path).st_size
        except FileNotFoundError:
            raise AgentError("missing", f"the back-up's file {path} is not there") from None
        if there != size:
            raise AgentError(
                "corrupt",
                f"{path} has {there} bytes, and was made with {size}: it was cut short"
                if there < size
                else f"{path} has {there} bytes, and was made with {size}",
            )
        digest = hashlib.sha256()
        for block in blocks_of(path):
            digest.update(block)
        if digest.hexdigest() != wanted:
            raise AgentError(
                "corrupt", f"{path} is damaged: its SHA-256 is not that of the back-up"
            )
        return path

    def tidy(
        self, *, app: str, environment: str, step: str, keep: int, latest: str | None = None
    ) -> list[str]:
        """Remove a step's oldest back-ups and what unfinished ones left; return the former.

        The latest one stays even where the host's clock, by which they are sorted, was set back.
        """
        mine = [
            str(one["id"])
            for one in self.descriptions()
            if (one.get("app"), one.get("environment"), one.get("step")) == (app, environment, step)
        ]
        mine.sort(key=lambda identifier: identifier == latest)
        gone = mine[: max(len(mine) - keep, 0)]
        for identifier in gone:
            self.remove(identifier)
        # By their names: the data of one whose description is damaged may be all that is left.
        there = self._described()
        for name in self._names():
            stem = name[1:] if name.startswith(".") else name
            if _ID.match(stem) is not None and not any(stem.startswith(f"{one}.") for one in there):
                self._unlink(name)
        return gone

    def remove(self, identifier: str) -> None:
        """Remove a back-up: first it exists no more, then it is gone."""
        self._unlink(identifier + _DESCRIPTION)
        sync_folder(self.path)
        for name in self._names():
            if name.startswith(f"{identifier}."):
                self._unlink(name)

    def _names(self) -> list[str]:
        try:
            return os.listdir(self.path)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _unlink(self, name: str) -> None:
        try:
            os.unlink(os.path.join(self.path, name))
        except FileNotFoundError:
            return


class Sink:
    """Takes a back-up's data into a file that nobody takes for one before it is described."""

    def __init__(self, folder: str, identifier: str) -> None:
        self._folder = folder
        self._identifier = identifier
        self._partial = os.path.join(folder, f".{identifier}{_PARTIAL}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        self._descriptor = os.open(self._partial, flags, 0o600)

    def write(self, block: bytes) -> None:
        """Take the next block."""
        write_all(self._descriptor, block)

    def describe(self, description: dict[str, Any]) -> None:
        """Make it a back-up: its data is on the disk before its description is."""
        os.fsync(self._descriptor)
        os.rename(self._partial, os.path.join(self._folder, description["file"]))
        sync_folder(self._folder)
        path = os.path.join(self._folder, self._identifier + _DESCRIPTION)
        descriptor = os.open(self._partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            write_all(descriptor, json.dumps(description, sort_keys=True).encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(self._partial, path)
        sync_folder(self._folder)

    def close(self) -> None:
        """Let go of the file; what was not described goes."""
        os.close(self._descriptor)
        try:
            os.unlink(self._partial)
        except FileNotFoundError:
            return


def _when(description: dict[str, Any]) -> float:
    when = description.get("time")
    return float(when) if isinstance(when, (int, float)) else 0.0


def blocks_of(path: str) -> Iterator[bytes]:
    """Yield a file's content."""
    with open(path, "rb") as file:
        while True:
            block = file.read(_BLOCK)
            if not block:
                return
            yield block
