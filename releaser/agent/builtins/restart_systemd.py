"""Restart a unit of systemd (systemctl(1), systemd.service(5))."""

from __future__ import annotations

import os

from ..errors import AgentError, user_name
from ..processes import process_numbers
from .process_table import process_table
from .service import Service

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parameters import Parameters
    from .errand import Errand

# For what may end badly, and tells why in any case.
_TOLERANT = ("/bin/sh", "-c", '"$@" 2>&1; true', "sh")
ACTIONS = ("restart", "reload", "reload-or-restart", "socket")
_SHOWN = (
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "NeedDaemonReload",
    "ControlGroup",
    "TriggeredBy",
)


class SystemdUnit(Service):
    """A service unit of the system's manager, or of a user's."""

    def __init__(self, errand: Errand, options: Parameters) -> None:
        self._errand = errand
        unit = options.text("unit")
        self._unit = unit if "." in unit else f"{unit}.service"
        self._action = options.choice("action", ACTIONS)
        self._of_user = options.flag("user_manager")
        self.name = f"unit {self._unit}"
        self.replaces = self._action in ("restart", "socket")

    def restart(self) -> None:
        """Tell systemd, and wait for its own word.

        Raises:
            AgentError: As `Service.restart`.
        """
        shown = self._show()
        if shown["NeedDaemonReload"] == "yes" or shown["LoadState"] == "not-found":
            self._systemctl("daemon-reload")
            shown = self._show()
        if shown["LoadState"] != "loaded":
            raise self._errand.failed(
                f"{self.name} is {shown['LoadState']}",
                f"Install the unit on this host, or see: systemctl status {self._unit}",
            )
        if self._action == "socket":
            self._keep_sockets(shown["TriggeredBy"].split())
        # Units that were restarted often of late, as by a release and its way back, would be
        # refused.
        self._systemctl("reset-failed", self._unit, must=False)
        action = "restart" if self._action == "socket" else self._action
        if action == "reload" and shown["ActiveState"] != "active":
            action = "start"
        try:
            self._systemctl(action, self._unit)
        except AgentError:
            self.last_words()
            raise

    def processes(self) -> dict[int, int]:
        """Return the processes of the unit's control group."""
        shown = self._show()
        if shown["ActiveState"] not in ("active", "reloading") or not shown["ControlGroup"]:
            return {}
        table = process_table()
        group = os.fsencode(shown["ControlGroup"])
        return {n: table[n].started for n in process_numbers() if n in table and _is_in(n, group)}

    def hopeless(self) -> str | None:
        """Return that the unit has failed, or is started over and over."""
        shown = self._show()
        if shown["ActiveState"] == "failed" or shown["SubState"] == "auto-restart":
            state = f"{shown['ActiveState']} ({shown['SubState']}, {shown['Result']})"
            return f"{self.name} does not come up: it is {state}"
        return None

    def last_words(self) -> None:
        """Pass on what systemd says of the unit, with the end of its log."""
        options = ("--no-pager", "--full", "--lines=20", self._unit)
        self._errand.say(self._systemctl("status", *options, must=False))

    def _keep_sockets(self, units: list[str]) -> None:
        sockets = [unit for unit in units if unit.endswith(".socket")]
        # Of one that nobody has asked for yet systemd does not know what it triggers.
        own = f"{self._unit.rpartition('.')[0]}.socket"
        if not sockets and "loaded" in self._systemctl("show", "--property=LoadState", own):
            sockets = [own]
        if not sockets:
            raise self._errand.failed(
                f"{self.name} is not activated by a socket",
                f"Make one ({own}), or use the action 'restart'.",
            )
        # One that listens already is left as it is, and so are the connections in its queue.
        self._systemctl("start", *sockets)

    def _show(self) -> dict[str, str]:
        lines = self._systemctl("show", "--property", ",".join(_SHOWN), self._unit).splitlines()
        found = dict.fromkeys(_SHOWN, "")
        found.update(line.split("=", 1) for line in lines if "=" in line)  # type: ignore[misc]
        return found

    def _systemctl(self, *words: str, must: bool = True) -> str:
        argv = ["systemctl", "--no-ask-password", *words]
        more: dict[str, str] = {}
        if self._of_user:
            argv.insert(1, "--user")
            more["XDG_RUNTIME_DIR"] = self._runtime_folder()
        elif self._errand.by_sudo:
            return self._by_sudo(words, argv, must=must)
        # `status` has a status of its own for a unit that does not run.
        return self._errand.ask(argv if must else [*_TOLERANT, *argv], **more)

    def _by_sudo(self, words: tuple[str, ...], argv: list[str], *, must: bool) -> str:
        """Run it with no more rights than `castoff provision` gives: by its exact words.

        Everybody may ask the system's manager, if there is a bus to ask it by.
        """
        if words[0] in ("show", "status"):
            try:
                return self._errand.ask_as_agent(argv if must else [*_TOLERANT, *argv])
            except AgentError as error:
                if error.code != "step-failed":
                    raise
                return self._errand.ask(argv)
        plain = ["sudo", "-n", "-u", str(self._errand.user), "systemctl", *words]
        try:
            return self._errand.ask_as_agent(plain if must else [*_TOLERANT, *plain])
        except AgentError as error:
            if error.code == "step-failed" and not error.hint and "sudo: " in error.message:
                error.hint = (
                    f"Allow it on the host: castoff provision with sudo = {{ restart = true }} and "
                    f"a unit {self._unit}; or, in a file below /etc/sudoers.d, "
                    f"{user_name()} ALL=({self._errand.user}) NOPASSWD: /usr/bin/systemctl "
                    f"{' '.join(words)}"
                )
            raise

    def _runtime_folder(self) -> str:
        import pwd

        user = os.geteuid()
        if self._errand.user is not None and self._errand.becomes_another:
            try:
                user = pwd.getpwnam(self._errand.user).pw_uid
            except KeyError:
                user = -1
        elif "XDG_RUNTIME_DIR" in os.environ:
            return os.environ["XDG_RUNTIME_DIR"]
        folder = f"/run/user/{user}"
        if not os.path.isdir(folder):
            raise self._errand.failed(
                f"there is no {folder}: no manager of this user's units runs",
                f"On the host: sudo loginctl enable-linger {self._errand.user or user}",
            )
        return folder


def _is_in(process: int, group: bytes) -> bool:
    """Whether a process is in a control group or below it, by cgroups(7)."""
    try:
        with open(f"/proc/{process}/cgroup", "rb") as file:
            lines = file.read().split(b"\n")
    except OSError:
        return False
    # The unified hierarchy, or the one that systemd keeps for itself beside those of old.
    paths = [line.split(b":", 2)[2] for line in lines if line.startswith(b"0::")]
    paths += [line.split(b":", 2)[2] for line in lines if b":name=systemd:" in line]
    return any(path == group or path.startswith(group + b"/") for path in paths)
