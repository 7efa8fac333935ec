"""Whatever a program makes of a secret, it is found again in what it prints."""

from __future__ import annotations

import base64
import html
import json
import re
import shlex
import subprocess
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from castoff.releaser.secrets.forms import base64_forms, forms
from castoff.releaser.secrets.secrets import HIDDEN, Secrets

PASSWORD = "p:@/ß w\"o'r\\d&<%+$1"
KEY = "\n".join(
    [
        "-----BEGIN PRIVATE KEY-----",
        "MC4CAQAwBQYDK2VwBCIEIAbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfG",
        "hIjKlMnOpQrStUvWxYz0",
        "-----END PRIVATE KEY-----",
        "",
    ]
)


def hidden(secret: str, text: str) -> str:
    return Secrets({"S": secret}).redact(text)


@pytest.mark.parametrize(
    "printed",
    [
        PASSWORD,
        quote(PASSWORD),
        quote(PASSWORD, safe=""),
        quote_plus(PASSWORD),
        re.sub("%[0-9A-F]{2}", lambda code: code[0].lower(), quote(PASSWORD, safe="")),
        json.dumps(PASSWORD),
        json.dumps(PASSWORD, ensure_ascii=False),
        json.dumps({"log": json.dumps({"password": PASSWORD})}),
        base64.b64encode(PASSWORD.encode()).decode(),
        base64.urlsafe_b64encode(PASSWORD.encode()).decode(),
        base64.b64encode(PASSWORD.encode() + b"\n").decode(),
        base64.b64encode(b"user:" + PASSWORD.encode()).decode(),
        base64.b64encode(b"me:" + PASSWORD.encode() + b"!").decode(),
        base64.b64encode(b"you:" + PASSWORD.encode() + b"!!").decode(),
        PASSWORD.encode().hex(),
        PASSWORD.encode().hex().upper(),
        html.escape(PASSWORD),
        repr(PASSWORD),
        shlex.quote(PASSWORD),
    ],
)
def test_a_secret_is_hidden_in_every_form_that_programs_print(printed: str) -> None:
    shown = hidden(PASSWORD, f"password={printed}; done")

    assert HIDDEN in shown
    assert shown.startswith("password=")
    assert shown.endswith("; done")
    # Of Base64 a character may stay at each end, which a secret decides only in part.
    assert len(shown) <= len(f"password={HIDDEN}; done") + 34
    for form in forms(PASSWORD) | base64_forms(PASSWORD):
        assert form not in shown


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_that_shows_its_commands_shows_no_secret(shell: str) -> None:
    done = subprocess.run(
        [shell, "-xc", 'true "$S"; true --password="$S"'],
        env={"S": PASSWORD, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
        stderr=subprocess.PIPE,
        check=True,
        text=True,
    )
    shown = hidden(PASSWORD, done.stderr)
    assert shown.count(HIDDEN) == 2
    assert "w" not in shown.replace("password", "")


def test_lines_of_a_key_are_hidden_one_by_one_and_as_a_whole() -> None:
    for line in KEY.splitlines():
        assert hidden(KEY, f"> {line}") == f"> {HIDDEN}"
    assert "MC4C" not in hidden(KEY, json.dumps({"key": KEY}))
    assert "IjKl" not in hidden(KEY, json.dumps({"key": KEY}))
    assert "WxYz" not in hidden(KEY, repr(KEY))


@pytest.mark.parametrize("columns", [[], ["-w0"], ["-w64"]])
def test_a_long_secret_in_broken_base64_is_hidden(columns: list[str]) -> None:
    secret = "0123456789abcdefghijklmnopqrstuvwxyz" * 5
    broken = subprocess.run(
        ["base64", *columns], input=secret, stdout=subprocess.PIPE, check=True, text=True
    ).stdout
    shown = [hidden(secret, line) for line in broken.splitlines()]
    assert set(shown) == {HIDDEN}


def test_what_is_no_secret_stays_as_it_is() -> None:
    text = "Applying shop.0002_items... OK\n"
    assert hidden(PASSWORD, text) == text
    assert Secrets().redact(text) == text


def test_of_two_secrets_that_begin_alike_the_longer_one_goes_whole() -> None:
    secrets = Secrets({"A": "hunter22", "B": "hunter22-and-more"})
    assert secrets.redact("hunter22-and-more hunter22") == f"{HIDDEN} {HIDDEN}"


def test_secrets_show_no_value_of_themselves() -> None:
    secrets = Secrets({"TOKEN": "hunter22"})
    assert repr(secrets) == str(secrets) == "Secrets(TOKEN)"
    assert "hunter22" not in f"{[secrets]} { ({'all': secrets}) }"
    assert secrets.only(["TOKEN"]) == {"TOKEN": "hunter22"}


@given(st.text(min_size=4, max_size=60))
def test_no_secret_passes(secret: str) -> None:
    for line in [line.strip() for line in secret.splitlines()]:
        if len(line) >= 4:
            assert hidden(secret, f"<<{line}>>") == f"<<{HIDDEN}>>"
