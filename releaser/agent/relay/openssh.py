"""The OpenSSH client's command line from the relay to a host; no I/O."""

from __future__ import annotations

# What ssh says, at `LogLevel=VERBOSE`, once a host has let us in and before the command runs.
LET_IN = b"Authenticated to "
# What it says at its end, at that level.
FAREWELL = (b"Transferred: sent ", b"Bytes per second: sent ")

_DOLLAR = "CASTOFF_DOLLAR"
# What ssh has to have in its environment.
VARIABLES = {_DOLLAR: "$"}

_ALWAYS = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=/dev/null",
    "IgnoreUnknown=KnownHostsCommand",
    "KnownHostsCommand=none",
    "CheckHostIP=no",
    "UpdateHostKeys=no",
    "VerifyHostKeyDNS=no",
    "LogLevel=VERBOSE",
    "ConnectionAttempts=1",
    "ServerAliveInterval=10",
    "ServerAliveCountMax=3",
    "ClearAllForwardings=yes",
    "ControlMaster=no",
    "ControlPath=none",
    "PermitLocalCommand=no",
    "EscapeChar=none",
)


def argv(
    address: str,
    command: str,
    *,
    user: str | None,
    port: int,
    alias: str,
    known: str,
    agent: str | None,
    seconds: int,
) -> list[str]:
    """Return the words that run a command on a host.

    Args:
        address: Host name or IP address, as the relay finds it.
        command: For the host's login shell.
        user: Who logs in; None for what the relay's own configuration says.
        port: TCP port.
        alias: Name of the host in the file of its keys.
        known: That file; no other key is trusted.
        agent: Socket of the SSH agent whose keys are offered, and nothing else; None for what
            the relay's own configuration and keys are.
        seconds: For the TCP connection.
    """
    words = ["ssh", "-T", "-a", "-x"]
    options = [
        *_ALWAYS,
        f"UserKnownHostsFile={_quoted(known)}",
        f"HostKeyAlias={alias}",
        f"ConnectTimeout={seconds}",
    ]
    if agent is not None:
        words += ["-F", "none"]
        options += [
            "PreferredAuthentications=publickey",
            "IdentitiesOnly=no",
            "IdentityFile=none",
            f"IdentityAgent={_quoted(agent)}",
        ]
    for option in options:
        words += ["-o", option]
    if user is not None:
        words += ["-l", user]
    return [*words, "-p", str(port), "--", address, command]


def _quoted(path: str) -> str:
    """Return a path as a value of ssh_config(5).

    Blanks, percent signs and names of variables mean more there. As there is no way to write `${`
    for itself, it is the value of a variable, in which nothing is looked for; a client too old to
    know of variables is not in the way of other paths.
    """
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return '"' + escaped.replace("${", f"${{{_DOLLAR}}}{{") + '"'
