"""The slides' steps: their durations, and shell commands that do them in scaled-down time.

A step does a little that is real, and sleeps for the slides' duration times the scale: the app
that they released took a minute of other machines' time to install and to migrate.
"""

from __future__ import annotations

from dataclasses import dataclass

# Seconds, from the slides' "Code Example 3: Performance".
SECONDS = {
    "deploy_code": 5,
    "install_requirements": 20,
    "backup_database": 15,
    "migrate_database": 12,
    "collectstatic": 10,
    "switch_release": 1,
    "reload_server": 1,
}


@dataclass(frozen=True)
class Place:
    """Where and how fast steps run.

    Attributes:
        app: The app's folder on the host.
        database: Address and port of the database, as words of a shell.
        pid: File with the server's process number.
        scale: Seconds that stand for a second of the slides.
    """

    app: str
    database: str
    pid: str
    scale: float


def command(step: str, place: Place, version: str, *, in_place: bool = False) -> str:
    """Return what does a step on a host.

    Args:
        step: A name of `SECONDS`.
        place: Where.
        version: Of the release, as a word of a shell.
        in_place: Whether the code is put over what is live, as the simplest script does.
    """
    wait = f"sleep {SECONDS[step] * place.scale:.4f}"
    release = f"{place.app}/current" if in_place else f"{place.app}/releases/{version}"
    work = {
        "deploy_code": f"mkdir -p {release}/app && echo {version} > {release}/app/version",
        "install_requirements": f"mkdir -p {release}/lib",
        "backup_database": f"{_ask(place, 'get')} > {place.app}/backup",
        "migrate_database": f"{_ask(place, 'set', version)} > /dev/null",
        "collectstatic": f"mkdir -p {release}/static",
        "switch_release": f"ln -sfn releases/{version} {place.app}/current",
    }
    if step == "reload_server":
        return f"{wait} && kill -HUP $(cat {place.pid})"
    return f"{work[step]} && {wait}"


def waiting(step: str, scale: float) -> str:
    """Return a command that takes as long as a step and does nothing."""
    return f"sleep {SECONDS[step] * scale:.4f}"


def _ask(place: Place, *words: str) -> str:
    """Return a command that sends the database a line and prints its answer."""
    talk = 'exec 3<>/dev/tcp/$0/$1; shift; echo "$@" >&3; read -r answer <&3; echo "$answer"'
    return f"bash -c '{talk}' {place.database} {' '.join(words)}"
