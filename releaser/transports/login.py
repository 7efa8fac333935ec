"""Which private keys are offered to a host: those configured, else the agent's, else files."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from functools import lru_cache
from pathlib import Path

import paramiko

from castoff.releaser.errors import HostUnreachable
from castoff.releaser.transports.route import Hop

# paramiko's words (auth_handler.py, `wait_for_response`).
_NO_ANSWER = "Authentication timeout."

DEFAULT_FILES = ("id_ed25519", "id_ecdsa", "id_rsa")


def log_in(transport: paramiko.Transport, hop: Hop) -> None:
    """Authenticate by public key.

    Raises:
        HostUnreachable: The host takes none of the keys, or a key file cannot be used.
        TimeoutError: It does not answer.
    """
    tried: list[str] = []
    with closing(keys_of(hop)) as keys:
        for origin, private_key in keys:
            tried.append(origin)
            try:
                transport.auth_publickey(hop.user, private_key)
            except paramiko.AuthenticationException as error:
                # It is of the same kind as a refusal.
                if str(error) == _NO_ANSWER:
                    raise TimeoutError from error
                continue
            return
    offered = ", ".join(tried) or "none: no agent and no key in ~/.ssh"
    raise HostUnreachable(
        hop.host,
        f"{hop.part}login as {hop.user} refused (keys offered: {offered})",
        code="login",
        hint=f"Put the public key into ~{hop.user}/.ssh/authorized_keys on {hop.address}, "
        "or name the right key with `key` in castoff.toml.",
    )


def keys_of(hop: Hop) -> Generator[tuple[str, paramiko.PKey], None, None]:
    """Yield where a key is from, and the key; it can sign until the next one is asked for.

    Raises:
        HostUnreachable: A key file cannot be used.
    """
    # A file that only the SSH configuration names need not be there; one of castoff.toml must.
    files = [path for path in hop.keys if path.exists() or len(hop.keys) == 1]
    for path in files:
        yield from _identity(hop, path)
    if hop.only_keys:
        return
    with closing(paramiko.Agent()) as agent:
        for agent_key in agent.get_keys():
            yield f"agent:{agent_key.fingerprint}", agent_key
    if not files:
        for name in DEFAULT_FILES:
            path = Path.home() / ".ssh" / name
            if path.is_file():
                yield from _identity(hop, path)


def _identity(hop: Hop, path: Path) -> Iterator[tuple[str, paramiko.PKey]]:
    """Yield the key of a file; from the agent if the file is locked or holds the public half."""
    public = path if path.suffix == ".pub" else path.with_name(f"{path.name}.pub")
    if path != public:
        try:
            private_key = _load(path)
        except (paramiko.PasswordRequiredException, TypeError):
            # A TypeError is what the newer key formats raise for want of a passphrase.
            pass
        except (OSError, ValueError, paramiko.SSHException) as error:
            raise HostUnreachable(
                hop.host,
                f"{hop.part}the key {path} cannot be read: {error}",
                code="login",
                hint="Name a private key file that your user may read with `key` in castoff.toml.",
            ) from error
        else:
            yield str(path), private_key
            return
    with closing(paramiko.Agent()) as agent:
        for agent_key in agent.get_keys():
            if agent_key.get_base64() == _public_half(public):
                yield f"{path} in the agent", agent_key
                return
    raise HostUnreachable(
        hop.host,
        f"{hop.part}the key {path} needs its passphrase",
        code="login",
        hint=f"Load it into the agent once: ssh-add {str(path).removesuffix('.pub')}",
    )


def _public_half(path: Path) -> str:
    try:
        fields = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        return ""
    return fields[1] if len(fields) > 1 else ""


@lru_cache(maxsize=32)
def _load(path: Path) -> paramiko.PKey:
    """Read a private key once for all hosts: decoding it for each costs more than logging in."""
    return paramiko.PKey.from_path(path)
