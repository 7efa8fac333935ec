"""What is told of a secret that cannot be had: its name and its source, never its value."""

from __future__ import annotations

from collections.abc import Sequence

from castoff.store.errors import CastoffError, ExitCode


class NotFound(Exception):
    """One secret cannot be had.

    Attributes:
        why: What is wrong with its source, without a word of what came from there.
        hint: What to do about it; may be empty.
    """

    def __init__(self, why: str, hint: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.hint = hint


class SecretsMissing(CastoffError):
    """Some secrets of an environment cannot be had; all of them are named."""

    exit_code = ExitCode.SECRETS

    def __init__(
        self, environment: str, failures: Sequence[tuple[str, str, NotFound]], *, before: str = ""
    ) -> None:
        """Take the environment's name, and each secret's name and source with its failure.

        `before` is what to say before all that.
        """
        count = "a secret" if len(failures) == 1 else f"{len(failures)} secrets"
        lines = [f"{before}{count} of {environment} cannot be had"]
        lines += [f"  {name} ({source}): {failure.why}" for name, source, failure in failures]
        hints = dict.fromkeys(failure.hint for _, _, failure in failures if failure.hint)
        super().__init__("\n".join(lines), hint="\n".join(hints))
