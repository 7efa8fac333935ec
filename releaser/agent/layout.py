"""Where everything of one app lies on a host; docs/reference/agent-protocol.md draws it."""

from __future__ import annotations

import os

from .errors import AgentError, from_os_error, read_only, user_name

COLORS = ("blue", "green")


class Layout:
    """The paths below one root. Making the object touches nothing."""

    def __init__(self, root: str) -> None:
        """Take the root as the request gives it.

        Raises:
            AgentError: `invalid`: it is neither absolute nor below `~/`, or is `/` itself.
        """
        if root.startswith("~/"):
            root = os.path.join(_home(), root[2:])
        root = os.path.normpath(root)
        if not os.path.isabs(root) or root.strip("/") == "":
            raise AgentError("invalid", f"the app's root must be an absolute folder: {root}")
        meta = os.path.join(root, ".castoff")
        self.root = root
        self.current = os.path.join(root, "current")
        self.releases = os.path.join(root, "releases")
        self.shared = os.path.join(root, "shared")
        self.layers = os.path.join(root, "layers")
        self.meta = meta
        self.lock = os.path.join(meta, "lock")
        self.state = os.path.join(meta, "state.json")
        self.journal = os.path.join(meta, "journal.jsonl")
        self.records = os.path.join(meta, "releases")
        self.seals = os.path.join(meta, "layers")
        self.python = os.path.join(meta, "python")
        self.agent = os.path.join(meta, "agent")
        self.built_ins = os.path.join(meta, "built-ins")
        self.staging = os.path.join(meta, "staging")
        self.trash = os.path.join(meta, "trash")
        self.pages = os.path.join(meta, "maintenance")
        self.maintenance = os.path.join(root, "maintenance")
        self.writable = os.path.join(meta, "writable")
        self.salt = os.path.join(meta, "salt")
        self.config = os.path.join(meta, "config")
        self.outside = os.path.join(meta, "outside")

    def release(self, version: str) -> str:
        """Return the directory of a release."""
        return os.path.join(self.releases, version)

    def color(self, name: str) -> str:
        """Return the link of a colour: the instance that runs what it points to."""
        return os.path.join(self.root, name)

    def make(self) -> None:
        """Create what is missing, all folders with mode 0755 (the agent's umask is 022).

        Raises:
            AgentError: `permission`, naming the folder and the user, or another refusal.
        """
        for folder in (
            self.root,
            self.releases,
            self.shared,
            self.meta,
            self.records,
            self.python,
            self.staging,
            self.trash,
        ):
            try:
                os.makedirs(folder, exist_ok=True)
            except (FileExistsError, NotADirectoryError) as error:
                raise AgentError("invalid", f"not a folder: {folder}") from error
            except PermissionError as error:
                raise AgentError(
                    "permission",
                    f"cannot create {folder} as user {user_name()}",
                    f"On the host: sudo install -d -o {user_name()} {self.root}",
                ) from error
            except OSError as error:
                raise from_os_error(error) from error
        for folder in (
            self.root,
            self.releases,
            self.meta,
            self.records,
            self.python,
            self.staging,
            self.trash,
        ):
            self._require_writing(folder)

    def _require_writing(self, folder: str) -> None:
        if os.access(folder, os.W_OK | os.X_OK):
            return
        if os.statvfs(folder).f_flag & os.ST_RDONLY:
            raise read_only(f"the file system of {folder} is read-only")
        raise AgentError(
            "permission",
            f"cannot write to {folder} as user {user_name()}",
            f"On the host: sudo chown -R {user_name()} {self.root}",
        )


def _home() -> str:
    import pwd

    try:
        return os.environ.get("HOME") or pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:
        raise AgentError("invalid", "the user has no home folder") from None
