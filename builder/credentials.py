"""Credentials that programs keep in files of their own forms, found by what stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterator

# A value, not `${NAME}`, which npm fills from the environment (npm's `.npmrc` reference).
_NPM = re.compile(
    r"^[^#;\n]*:?_(?:authToken|auth|password)[ \t]*=[ \t]*[\"']?(?!\$\{)[^\s\"']", re.MULTILINE
)
# What Google's and other OAuth clients keep between runs: either alone says little, both a login.
# Values in examples have no digits.
_OAUTH = {
    name: re.compile(
        rf"""["']?\b{name}\b["']?\s*[:=]\s*["']?(?=[^\s"']*\d)[A-Za-z0-9/_~+.=-]{{16,}}"""
    )
    for name in ("refresh_token", "client_secret")
}
# Tokens that detect-secrets does not know, by a part of each that is always the same.
_TOKENS = {
    "github_pat_": (r"\bgithub_pat_[0-9A-Za-z]{22}_[0-9A-Za-z]{59}", "GitHub Token"),
    "_v1_": (r"\bdo[opr]_v1_[0-9a-f]{64}", "a token of DigitalOcean"),
    "sk-ant-": (r"\bsk-ant-[a-z]{3,5}\d\d-[\w-]{80,}", "a key of Anthropic"),
    "hf_": (r"\bhf_[A-Za-z]{34}", "a token of Hugging Face"),
    "GOCSPX-": (r"\bGOCSPX-[\w-]{28}", "a secret of an OAuth client of Google"),
}
_PATTERNS = {
    start: (re.compile(rf"{pattern}(?![\w-])"), what) for start, (pattern, what) in _TOKENS.items()
}


def credentials(name: str, text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines, counted from 1, that hold credentials, and what each is.

    Args:
        name: The file's name, without its folder.
        text: Its content.
    """
    if name in (".npmrc", "npmrc"):
        for match in _NPM.finditer(text):
            yield _line(text, match), "a login of an npm registry"
    for start, (pattern, what) in _PATTERNS.items():
        if start in text:
            yield from ((_line(text, match), what) for match in pattern.finditer(text))
    if all(word in text for word in _OAUTH):
        token, secret = (pattern.search(text) for pattern in _OAUTH.values())
        if token is not None and secret is not None:
            yield _line(text, token), "a refresh token beside its client's secret"


def _line(text: str, match: re.Match[str]) -> int:
    return text.count("\n", 0, match.end()) + 1
