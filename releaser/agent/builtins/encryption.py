"""Encrypt to public keys, and decrypt, by the program age (https://age-encryption.org/v1)."""

from __future__ import annotations

import os

from ..errors import AgentError
from .program import Program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .deadline import Deadline

NAME = "age"
# What a pipe takes without anybody reading it (Linux, pipe(7)).
_MOST_IDENTITY = 60_000


def encrypted(
    blocks: Iterator[bytes],
    recipients: list[str],
    environment: dict[str, str],
    deadline: Deadline,
) -> Iterator[bytes]:
    """Yield `blocks` so that only those who have a key of one of the recipients can read them.

    Raises:
        AgentError: `missing`: the host has no age. `step-failed`: it takes no such recipient.
    """
    argv = [NAME, "--encrypt"]
    for recipient in recipients:
        argv += ["--recipient", recipient]
    with Program(argv, environment=environment, deadline=deadline, takes=True) as program:
        yield from program.turns(blocks)


def decrypted(
    blocks: Iterator[bytes],
    identity: str,
    environment: dict[str, str],
    deadline: Deadline,
) -> Iterator[bytes]:
    """Yield what was encrypted.

    The identity goes to age by a pipe: it is in no file, no argument and no variable.

    Raises:
        AgentError: `missing`: the host has no age. `step-failed`: the identity is not one of
            the recipients', or the data was changed.
    """
    text = identity.encode()
    if len(text) > _MOST_IDENTITY:
        raise AgentError("invalid", "this is not an identity of age: it is too long")
    reading, writing = os.pipe()
    try:
        os.write(writing, text)
        os.close(writing)
        argv = [NAME, "--decrypt", "--identity", f"/dev/fd/{reading}"]
        program = Program(
            argv, environment=environment, deadline=deadline, takes=True, shares=(reading,)
        )
    finally:
        os.close(reading)
    with program:
        yield from program.turns(blocks)
