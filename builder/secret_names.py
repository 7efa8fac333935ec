"""Which files hold secrets, by their names: `.env`, `.git`, `id_rsa` and their like."""

from __future__ import annotations

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

_REPOSITORIES = (".git", ".hg", ".svn")
# Against the whole path where there is a slash in it, else against the file's name.
_NAMES = {
    ".env": "environment variables, where passwords stand",
    ".env.*": "environment variables, where passwords stand",
    "*.env": "environment variables, where passwords stand",
    ".envrc": "environment variables, where passwords stand",
    "id_rsa": "an SSH key",
    "id_dsa": "an SSH key",
    "id_ecdsa": "an SSH key",
    "id_ed25519": "an SSH key",
    "id_*_sk": "an SSH key",
    "*.ppk": "an SSH key",
    "*.p12": "a store of private keys",
    "*.pfx": "a store of private keys",
    "*.jks": "a store of private keys",
    "*.keystore": "a store of private keys",
    "*.kdbx": "a store of passwords",
    "*.tfstate": "Terraform's state, which holds secrets in plain text",
    ".netrc": "login names and passwords",
    ".pgpass": "login names and passwords",
    ".htpasswd": "login names and passwords",
    ".my.cnf": "login names and passwords",
    ".git-credentials": "login names and passwords",
    ".pypirc": "credentials of a package index",
    "*.aws/credentials": "cloud credentials",
    "application_default_credentials.json": "cloud credentials",
    "*gcloud/credentials.db": "cloud credentials",
    "*gcloud/access_tokens.db": "cloud credentials",
    "*gcloud/legacy_credentials/*": "cloud credentials",
    ".boto": "cloud credentials",
    ".s3cfg": "cloud credentials",
    ".vault-token": "a token of Vault",
    "*.azure/accessTokens.json": "cloud credentials",
    "*.azure/msal_token_cache.*": "cloud credentials",
    "*.docker/config.json": "credentials of a registry",
    ".dockercfg": "credentials of a registry",
    "*.streamlit/secrets.toml": "secrets of a Streamlit app",
    "kubeconfig": "credentials of a cluster",
    "*.kube/config": "credentials of a cluster",
}
_HARMLESS = (
    ".env.example", ".env.sample", ".env.template", ".env.dist",
    "example.env", "sample.env", "template.env", "dist.env",
)  # fmt: skip


def is_repository(path: str) -> bool:
    """Return whether a file or folder is one that is refused whatever is in it."""
    return path.rpartition("/")[2] in _REPOSITORIES


def secret_by_name(path: str) -> str | None:
    """Return what a file seems to hold by its name; None for nothing."""
    name = path.rpartition("/")[2]
    if name in _HARMLESS:
        return None
    for pattern, what in _NAMES.items():
        if fnmatchcase(path if "/" in pattern else name, pattern):
            return what
    return None


def repositories(tree: Path) -> Iterator[str]:
    """Yield what is a repository in a tree, as paths from its top."""
    for folder, names, files in os.walk(tree):
        for name in sorted({*names, *files} & set(_REPOSITORIES)):
            yield (Path(folder) / name).relative_to(tree).as_posix()
