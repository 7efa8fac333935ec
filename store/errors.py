"""Every error that a user can meet: one message, one hint, one exit code."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process returns, by outcome; documented in docs/reference/exit-codes.md."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    CONFIG = 3
    SOURCE = 4
    BUILD = 5
    STORE = 6
    UNKNOWN_VERSION = 7
    IMMUTABLE = 8
    LOCKED = 9
    UNREACHABLE = 10
    HOST_KEY = 11
    PREFLIGHT = 12
    PREPARE = 13
    NOT_ACTIVATED = 14
    ROLLED_BACK = 15
    MIXED = 16
    CORRUPT = 17
    DISAGREE = 18
    UNTRUSTED = 19
    COMMAND = 20
    STALE_LOCK = 21
    SECRETS = 22
    INDEX = 23
    BACKUP = 24
    INCOMPATIBLE = 25
    WRONG_HASH = 26
    LEAK = 27
    DIFFERS = 28
    PROVISION = 29
    NOT_TOLD = 30
    UNFIT = 31
    OUTPUT = 32
    MACHINE = 33
    INTERRUPTED = 130


class CastoffError(Exception):
    """Base of all errors that cross a module's border.

    Attributes:
        message: One sentence that names the file, key or host.
        hint: What to do about it; may be empty.
        exit_code: What the process returns if nobody handles the error.
    """

    exit_code = ExitCode.INTERNAL

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CastoffError):
    """The command's own words are wrong: a hostile version name, an unknown environment."""

    exit_code = ExitCode.USAGE


class StoreError(CastoffError):
    """The store cannot be reached, refuses, or does not keep the promises that we need."""

    exit_code = ExitCode.STORE


class ObjectMissing(StoreError):
    """No object stands at the key."""


class Conflict(StoreError):
    """A conditional write lost: the object is there already, or is not the one expected."""


class UnknownVersion(CastoffError):
    """The version is not in the store (or not in `artifacts/`, for a push)."""

    exit_code = ExitCode.UNKNOWN_VERSION


class ImmutableVersion(CastoffError):
    """The version is in the store with other bytes."""

    exit_code = ExitCode.IMMUTABLE


class CorruptArtifact(CastoffError):
    """Bytes do not match the digest that names them, or a document does not fit its schema."""

    exit_code = ExitCode.CORRUPT


class Untrusted(CastoffError):
    """A signature is wanted and there is none, or it is not one that counts."""

    exit_code = ExitCode.UNTRUSTED


class SigningFailed(CastoffError):
    """ssh-keygen cannot sign: no such program, no such key, a wrong passphrase."""

    exit_code = ExitCode.BUILD


class Locked(CastoffError):
    """Somebody else holds the environment's lease."""

    exit_code = ExitCode.LOCKED
