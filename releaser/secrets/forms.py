r"""The forms in which a secret may turn up in what a program prints; no I/O.

Base64 puts three bytes into four characters, so what a secret looks like in the middle of some
longer text depends on where it begins there, modulo three (RFC 4648, section 4).
"""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

# Characters that a form must have: what is shorter stands in every second line of any output.
LEAST = 4
_SURE = 8
_BITS = 6
_BYTE = 8
# Columns after which base64(1) and openssl(1) break a line.
_COLUMNS = (76, 64)
_PERCENT = re.compile(r"%[0-9A-F]{2}")


def forms(value: str) -> frozenset[str]:
    """Return all texts that stand for a secret: itself, its lines, and both as programs quote them.

    None of them is shorter than `LEAST`, and none holds a line break. Base64 is not among them.
    """
    found = {form for text in _parts(value) for form in _spelt(text)}
    return frozenset(form for form in found if len(form) >= LEAST and not _breaks(form))


def base64_forms(value: str) -> frozenset[str]:
    """Return the same in Base64, without what depends on the text around the secret.

    That may be a character before and after it, and the padding.
    """
    found = {form for text in _parts(value) for form in _in_base64(text.encode())}
    return frozenset(form for form in found if len(form) >= LEAST)


def _parts(value: str) -> frozenset[str]:
    parts = {value, value.strip(), *(line.strip() for line in value.splitlines())}
    return frozenset(part for part in parts if len(part) >= LEAST)


def _spelt(text: str) -> Iterator[str]:
    yield text
    yield from _quoted(text)
    yield from _in_json(text)
    yield text.encode().hex()
    yield text.encode().hex().upper()


def _quoted(text: str) -> Iterator[str]:
    for form in (quote(text, safe=""), quote(text), quote_plus(text)):
        yield form
        # Some programs write %2f.
        yield _PERCENT.sub(lambda code: code[0].lower(), form)
    yield html.escape(text)
    yield html.escape(text, quote=False)
    # As `set -x` prints it in dash, in bash, and repr() in Python.
    yield shlex.quote(text).removeprefix("'").removesuffix("'")
    yield text.replace("'", "'\\''")
    yield repr(text)[1:-1]


def _in_json(text: str) -> Iterator[str]:
    for once in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield once
        yield once.replace("/", "\\/")
        # JSON within JSON, as the lines of many logs are.
        yield json.dumps(once)[1:-1]


def _in_base64(data: bytes) -> Iterator[str]:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(3):
            # Of the first and the last character, what stands beside the secret decides too.
            first = -(-before * _BYTE // _BITS)
            last = (before + len(data)) * _BYTE // _BITS
            sure = encode(b"\0" * before + data).decode()[first:last]
            if before == 0 or len(sure) >= _SURE:
                yield sure
            if before == 0:
                yield from (
                    sure[start : start + columns]
                    for columns in _COLUMNS
                    for start in range(0, len(sure), columns)
                    if len(sure) > columns and len(sure) - start >= LEAST
                )


def _breaks(form: str) -> bool:
    return len(form.splitlines()) != 1
