"""A secret in AWS Secrets Manager, or one field of it."""

from __future__ import annotations

import json
from pathlib import Path

from castoff.config.model import Secret
from castoff.releaser.secrets.aws import client, translated
from castoff.releaser.secrets.errors import NotFound


def find(secret: Secret, base: Path) -> str:
    """Return the secret's text, or its field's.

    Raises:
        NotFound: There is none, it may not be read, or has no such field.
    """
    del base
    with translated("secretsmanager:GetSecretValue, and kms:Decrypt for its key"):
        asked = client("secretsmanager", secret)
        answer = asked.get_secret_value(SecretId=secret.secretsmanager)
    text = answer.get("SecretString")
    if text is None:
        raise NotFound("it holds bytes, not text")
    return str(text) if secret.field is None else _field(str(text), secret.field)


def _field(text: str, name: str) -> str:
    # No error of these has a cause: that would hold the secret.
    try:
        fields = json.loads(text)
    except ValueError:
        raise NotFound(f"it is no JSON object, so it has no field {name!r}") from None
    if not isinstance(fields, dict) or name not in fields:
        raise NotFound(f"it has no field {name!r}")
    value = fields[name]
    if isinstance(value, (dict, list)) or value is None:
        raise NotFound(f"its field {name!r} is no text")
    return value if isinstance(value, str) else json.dumps(value)
