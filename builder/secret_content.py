"""What in a file is a secret: private keys, and the tokens that detect-secrets knows.

Of its detectors only those are used that are nearly always right, and only their matching of text:
it is never let near the network to try a token out.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO

from castoff.builder.credentials import credentials

if TYPE_CHECKING:
    from detect_secrets.plugins.base import BasePlugin

# What is in all private keys of a form, and is looked for at twenty times its speed; and the form.
# A marker alone is no key: libraries that read keys are full of them. What follows it decides. Each
# form begins with plain text, by which it is found several times as fast as three in one would be.
_KEYS = {
    b"PRIVATE KEY": re.compile(
        rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----"
        rb"(?:\\[nr]|[\s\"'+,;\\]|[A-Za-z-]+: [^\n\\]{0,200}(?=[\n\\]))*"
        rb"[A-Za-z0-9+/]{40}"
    ),
    b"PuTTY-User-Key-File-": re.compile(
        rb"PuTTY-User-Key-File-[23]: \S+\r?\n(?:[^\n]*\n){1,40}?Private-Lines: \d"
    ),
    b"AGE-SECRET-KEY-1": re.compile(rb"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
}
_DETECTORS = (
    ("aws", "AWSKeyDetector"),
    ("azure_storage_key", "AzureStorageKeyDetector"),
    ("discord", "DiscordBotTokenDetector"),
    ("github_token", "GitHubTokenDetector"),
    ("gitlab_token", "GitLabTokenDetector"),
    ("mailchimp", "MailchimpDetector"),
    ("npm", "NpmDetector"),
    ("openai", "OpenAIDetector"),
    ("pypi_token", "PypiTokenDetector"),
    ("sendgrid", "SendGridDetector"),
    ("slack", "SlackDetector"),
    ("square_oauth", "SquareOAuthDetector"),
    ("stripe", "StripeDetector"),
)
# Amazon's own documentation uses keys that end so, and gives out no others.
_EXAMPLE = "EXAMPLE"
_CLIENT = "requests"
_PACKAGE = "detect_secrets"
CODE = ".pyc"
_HEAD = 8000  # as far as git looks for a NUL to tell binary files from text
# Bytes: a file of gigabytes is read in pieces, and searched as far beyond each as a key may reach.
PIECE = 16 * 1024 * 1024
_LONGEST_KEY = 64 * 1024
_LONGEST_LINE = 1024 * 1024


def holds_key(path: str, file: BinaryIO) -> bool:
    """Return whether a file of a package of others holds what is refused.

    Args:
        path: Its path from the tree's top.
        file: Its content; read from where it stands, to its end.
    """
    return any(True for _ in lines_in(path, file, ()))


def may_hold_key(content: bytes) -> bool:
    """Return False of what certainly holds no key, a hundred times as fast as `holds_key`."""
    first, second, third = _KEYS
    return first in content or second in content or third in content


def lines_in(
    name: str, opened: BinaryIO, detectors: Sequence[BasePlugin]
) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file that hold secrets, with what each is.

    Args:
        name: The file's.
        opened: Its content.
        detectors: For tokens; without any, only private keys are looked for.
    """
    # Byte code holds what its source holds.
    if name.endswith(CODE):
        return
    for number in _lines_of_keys(opened):
        yield number, "a private key"
    opened.seek(0)
    if not detectors or b"\0" in opened.read(_HEAD):
        return
    opened.seek(0)
    before = 0
    # Whole lines, a piece of the file in memory at a time.
    while piece := opened.read(PIECE) + opened.readline(_LONGEST_LINE):
        text = piece.decode("utf-8", "replace")
        for number, what in (*_lines_of_tokens(text, detectors), *credentials(name, text)):
            yield before + number, what
        before += piece.count(b"\n")


def _lines_of_tokens(text: str, detectors: Sequence[BasePlugin]) -> Iterator[tuple[int, str]]:
    # The whole text first: one search a detector, where lines would take one each.
    suspicious = [detector for detector in detectors if _finds(detector, text)]
    for number, line in enumerate(text.split("\n") if suspicious else (), start=1):
        for detector in suspicious:
            if _finds(detector, line):
                yield number, detector.secret_type


def _lines_of_keys(file: BinaryIO) -> Iterator[int]:
    """Yield the lines where private keys begin, a piece of the file in memory at a time."""
    line, piece = 1, file.read(PIECE)
    while piece:
        following = file.read(PIECE)
        searched = piece + following[:_LONGEST_KEY]
        forms = (form for hint, form in _KEYS.items() if hint in searched)
        for start in sorted(match.start() for form in forms for match in form.finditer(searched)):
            # One that begins behind the piece is found in the following one.
            if start < len(piece):
                yield line + piece.count(b"\n", 0, start)
        if following:
            line += piece.count(b"\n")
        piece = following


def _finds(detector: BasePlugin, text: str) -> bool:
    # Only the matching of text: the detectors' other ways in would ask Amazon and others.
    return any(not found.endswith(_EXAMPLE) for found in detector.analyze_string(text))


def token_detectors() -> tuple[BasePlugin, ...]:
    """Load the detectors for tokens."""
    with _alone():
        return tuple(
            getattr(import_module(f"{_PACKAGE}.plugins.{module}"), name)()
            for module, name in _DETECTORS
        )


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Keep detectors from loading what they are never asked to use here.

    The HTTP client that they would try a token out with takes three times as long to load as they
    do, and nothing here may reach the network; the scanner that the package itself loads, which
    would run them over files, as long again.
    """
    package = ModuleType(_PACKAGE)
    package.__path__ = list(getattr(find_spec(_PACKAGE), "submodule_search_locations", None) or ())
    instead = {_CLIENT: ModuleType(_CLIENT), _PACKAGE: package}
    missing = {name: one for name, one in instead.items() if name not in sys.modules}
    sys.modules.update(missing)
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]
