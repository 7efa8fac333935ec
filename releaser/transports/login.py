"""Which private keys are offered to a host: the one configured, else the agent's, else files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import paramiko

from castoff.releaser.errors import HostUnreachable

DEFAULT_FILES = ("id_ed25519", "id_ecdsa", "id_rsa")


def log_in(transport: paramiko.Transport, *, host: str, user: str, key: Path | None) -> None:
    """Authenticate by public key.

    Raises:
        HostUnreachable: The host takes none of the keys, or a key file cannot be used.
    """
    tried: list[str] = []
    for origin, private_key in _keys(host, key):
        tried.append(origin)
        try:
            transport.auth_publickey(user, private_key)
        except paramiko.AuthenticationException:
            continue
        return
    offered = ", ".join(tried) or "none: no agent and no key in ~/.ssh"
    raise HostUnreachable(
        host,
        f"login as {user} refused (keys offered: {offered})",
        code="login",
        hint=f"Put the public key into ~{user}/.ssh/authorized_keys on {host}, "
        "or name the right key with `key` in castoff.toml.",
    )


def _keys(host: str, key: Path | None) -> Iterator[tuple[str, paramiko.PKey]]:
    if key is not None:
        yield str(key), _load(host, key)
        return
    agent = paramiko.Agent()
    try:
        for agent_key in agent.get_keys():
            yield f"agent:{agent_key.fingerprint}", agent_key
    finally:
        agent.close()
    for name in DEFAULT_FILES:
        path = Path.home() / ".ssh" / name
        if path.is_file():
            yield str(path), _load(host, path)


def _load(host: str, path: Path) -> paramiko.PKey:
    try:
        return paramiko.PKey.from_path(path)
    except paramiko.PasswordRequiredException as error:
        raise HostUnreachable(
            host,
            f"the key {path} needs its passphrase",
            code="login",
            hint=f"Load it into the agent once: ssh-add {path}",
        ) from error
    except (OSError, ValueError, TypeError, paramiko.SSHException) as error:
        raise HostUnreachable(
            host,
            f"the key {path} cannot be read: {error}",
            code="login",
            hint="Name a private key file that your user may read with `key` in castoff.toml.",
        ) from error
