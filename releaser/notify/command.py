"""A command of the user's own that tells of a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from castoff.releaser.controller_step import OutOfTime, how_it_ended, run_command
from castoff.releaser.notify import words
from castoff.releaser.notify.attempt import NotSent, Patience
from castoff.releaser.notify.message import Message, as_json
from castoff.releaser.secrets.secrets import Secrets


def send(
    command: str,
    wanted: Sequence[str],
    message: Message,
    secrets: Secrets,
    patience: Patience,
    *,
    folder: Path | None,
) -> None:
    """Run a command, once: what it has done by half it would do twice.

    Raises:
        NotSent: It failed or took too long.
        KeyError: A secret that it is to have is not there.
    """
    said: list[str] = []
    try:
        status = run_command(
            command,
            folder=folder,
            variables={**_variables(message), **secrets.only(wanted)},
            limit=max(patience.left, 0.001),
            say=said.append,
            given=json.dumps(as_json(message), ensure_ascii=False),
        )
    except OutOfTime:
        raise NotSent(f"its command did not end within {patience.limit:g} s") from None
    if status != 0:
        last = next((line.strip() for line in reversed(said) if line.strip()), "")
        told = f": {secrets.redact(last)}" if last else ""
        raise NotSent(f"its command {how_it_ended(status)}{told}")


def _variables(message: Message) -> dict[str, str]:
    number = "" if message.number is None else str(message.number)
    return {
        "CASTOFF_APP": message.app,
        "CASTOFF_ENVIRONMENT": message.environment,
        "CASTOFF_VERSION": message.version,
        "CASTOFF_FROM_VERSION": message.from_version or "",
        "CASTOFF_KIND": message.kind,
        "CASTOFF_OUTCOME": message.occasion,
        "CASTOFF_NUMBER": number,
        "CASTOFF_WHO": message.who,
        "CASTOFF_JOB_URL": message.job_url,
        "CASTOFF_REPORT_URL": message.report_url,
        "CASTOFF_TITLE": words.title(message),
    }
