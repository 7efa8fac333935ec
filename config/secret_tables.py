"""What castoff.toml says of secrets: where each is found, and never its value."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints, model_validator

from castoff.config import secret_rules
from castoff.config.rules import require
from castoff.config.table import Seconds, Table, Text

# What a variable of a shell may be called, since that is what steps know a secret by.
SecretName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"),
    AfterValidator(secret_rules.no_name_of_ours),
]

# The keys that say where a secret is; a table has just one of them.
SOURCES = ("env", "file", "command", "ssm", "secretsmanager", "age", "sops")


class Secret(Table):
    """`[environments.E.secrets]`: where the machine that releases finds a secret, by its name.

    Just one of `env`, `file`, `command`, `ssm`, `secretsmanager`, `age` and `sops` says that; the
    other keys say more about it. A line break at the end of what a file holds, or a program
    prints, is no part of the secret.
    """

    # Environment variable that holds it.
    env: Text | None = None
    # File that holds it; its path starts beside castoff.toml.
    file: Text | None = None
    # Run by /bin/sh -c beside castoff.toml; prints it.
    command: Text | None = None
    # Name or ARN of a parameter in AWS Systems Manager's Parameter Store.
    ssm: Text | None = None
    # Name or ARN of a secret in AWS Secrets Manager.
    secretsmanager: Text | None = None
    # File that age has encrypted.
    age: Text | None = None
    # File that sops has encrypted.
    sops: Text | None = None
    # With `secretsmanager`: the field, where the secret is a JSON object.
    field: Text | None = None
    # With `sops`: where in the file it stands, as in "database.password" or "keys.0".
    key: Text | None = None
    # With `age`, needed, and `sops`: file with the private key of age.
    identity: Text | None = None
    # With `ssm` and `secretsmanager`; default: the AWS configuration's.
    region: Text | None = None
    profile: Text | None = None
    # Seconds until it must be there.
    timeout: Seconds = 30

    @property
    def source(self) -> str:
        """The key that says where it is."""
        return next(key for key in SOURCES if getattr(self, key) is not None)

    @model_validator(mode="after")
    def _is_in_one_place(self) -> Secret:
        require(secret_rules.secret(self, SOURCES))
        return self
