"""Instances that are files, and a web server that is a file: steps for blue-green releases."""

from __future__ import annotations

from pathlib import Path

from castoff.releaser.job import Scope

# Whoever starts the colour that requests go to does harm, which is written down.
STEPS = [
    {
        "name": "start",
        "moment": "start_idle",
        "command": 'cd "$CASTOFF_SHARED" && test ! -e broken || exit 1\n'
        'echo "start $CASTOFF_VERSION in $CASTOFF_COLOR at $PORT, live: $CASTOFF_LIVE_COLOR" '
        ">> log\n"
        'test "$(cat upstream 2>/dev/null)" != "$CASTOFF_COLOR" || touch harm\n'
        'echo "$CASTOFF_VERSION" > "$CASTOFF_COLOR.version"',
    },
    {
        "name": "is-up",
        "moment": "check_idle",
        "command": 'test "$(cat "$CASTOFF_SHARED/$CASTOFF_COLOR.version")" = "$CASTOFF_VERSION"',
    },
    {
        "name": "switch",
        "moment": "activate",
        "command": 'cd "$CASTOFF_SHARED" && '
        'echo "switch to $CASTOFF_VERSION in $CASTOFF_COLOR, live: $CASTOFF_LIVE_COLOR" >> log && '
        'echo "$CASTOFF_COLOR" > upstream',
    },
]


def serves(scope: Scope, host: int) -> str:
    """Return the version that requests get; `gone` where no instance answers."""
    shared = Path(scope.hosts[host].root) / "shared"
    assert not (shared / "harm").exists(), "an instance that served was started anew"
    upstream = (shared / "upstream").read_text().strip()
    instance = shared / f"{upstream}.version"
    return instance.read_text().strip() if instance.exists() else "gone"


def instances(scope: Scope, host: int) -> dict[str, str]:
    """Return the version of each colour that runs."""
    shared = Path(scope.hosts[host].root) / "shared"
    return {path.stem: path.read_text().strip() for path in sorted(shared.glob("*.version"))}
