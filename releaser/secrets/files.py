"""What the files say that hold secrets for the app; no I/O."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from castoff.config.model import SecretFile

# What a value may hold that stands without quotes in all kinds of `.env` files.
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,-]+")
# What a backslash keeps from being taken for something else, between double quotes.
_SPECIAL = re.compile(r'([\\"$`])')


def text_of(file: SecretFile, secrets: Mapping[str, str]) -> str:
    """Return what one file says.

    Args:
        file: The file; of a folder, the one of its only secret.
        secrets: Values by their names; those that the file names are among them.
    """
    values = {name: secrets[name] for name in file.secrets}
    if file.format == "folder":
        return "".join(values.values())
    if file.format == "json":
        return json.dumps(values, ensure_ascii=False, indent=1) + "\n"
    return "".join(f"{name}={quoted(value)}\n" for name, value in values.items())


def quoted(value: str) -> str:
    """Return a value as it stands behind `NAME=` for shells, systemd and readers of `.env`.

    Between single quotes all of them take a text as it is (systemd.exec(5), `EnvironmentFile=`);
    one that holds such a quote stands between double quotes, with backslashes before what shells
    would take for something else.
    """
    if _PLAIN.fullmatch(value):
        return value
    if "'" not in value:
        return f"'{value}'"
    return '"' + _SPECIAL.sub(r"\\\1", value) + '"'
