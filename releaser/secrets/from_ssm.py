"""A secret in AWS Systems Manager's Parameter Store."""

from __future__ import annotations

from pathlib import Path

from castoff.config.model import Secret
from castoff.releaser.secrets.aws import client, translated


def find(secret: Secret, base: Path) -> str:
    """Return the parameter's value, decrypted.

    Raises:
        NotFound: There is none, or it may not be read.
    """
    del base
    with translated("ssm:GetParameter, and kms:Decrypt for its key"):
        answer = client("ssm", secret).get_parameter(Name=secret.ssm, WithDecryption=True)
    return str(answer["Parameter"]["Value"])
