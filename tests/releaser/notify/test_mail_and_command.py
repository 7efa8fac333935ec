"""E-mail by a real SMTP server, and commands of one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.notifying import message, send
from support.ports import free_ports
from support.smtp_server import PASSWORD, USER, certificate, smtp_server


def mail(port: int, **more: Any) -> dict[str, Any]:
    table = {
        "host": "127.0.0.1",
        "port": port,
        "tls": "none",
        "sender": "Castoff <releases@example.org>",
        "recipients": ("ops@example.org", "boss@example.org"),
        **more,
    }
    return {"name": "mail", "email": table, "timeout": 5.0}


def test_a_letter_says_it_in_its_subject_and_the_rest_below(tmp_path: Path) -> None:
    with smtp_server() as mailbox:
        assert send(tmp_path, mail(mailbox.port)) == []
    (letter,) = mailbox.letters
    assert letter["Subject"] == "shop 2 is live in production"
    assert letter["To"] == "ops@example.org, boss@example.org"
    assert letter["Auto-Submitted"] == "auto-generated"
    body = letter.get_content()
    assert "from: 1 to 2" in body
    assert "took: 12.0 s, activation 1.25 s, potential downtime 0.50 s" in body
    assert "2222222 Count them" in body


def test_words_of_others_add_no_header(tmp_path: Path) -> None:
    with smtp_server() as mailbox:
        told = message(only="web1\nBcc: thief@example.org")
        assert send(tmp_path, mail(mailbox.port), told=told) == []
    (letter,) = mailbox.letters
    assert letter["Bcc"] is None
    assert letter["Subject"].endswith("(PARTIAL: web1 Bcc: thief@example.org)")


def test_a_login_goes_over_tls_to_a_server_that_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crt, key = certificate(tmp_path)
    more = {"tls": "starttls", "user": USER, "password_secret": "PASSWORD"}
    with smtp_server(crt, key) as mailbox:
        way = mail(mailbox.port, **more)
        (line,) = send(tmp_path, way, PASSWORD=PASSWORD)
        assert "127.0.0.1 has a certificate that is not trusted" in line
        monkeypatch.setenv("SSL_CERT_FILE", str(crt))
        assert send(tmp_path, way, PASSWORD=PASSWORD) == []
        assert mailbox.users == [USER]
        (line,) = send(tmp_path, way, PASSWORD="a-wrong-password")
    assert line.endswith("127.0.0.1 does not take the user or the password (code 535)")
    assert len(mailbox.letters) == 1


def test_who_has_not_got_it_is_named(tmp_path: Path) -> None:
    with smtp_server() as mailbox:
        mailbox.refused = "boss@example.org"
        (line,) = send(tmp_path, mail(mailbox.port))
    assert line.endswith("127.0.0.1 takes nothing for boss@example.org; others have it")
    assert len(mailbox.letters) == 1


def test_a_mail_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    (line,) = send(tmp_path, {**mail(port), "timeout": 0.3})
    assert line.endswith("127.0.0.1 cannot be reached: Connection refused")


def test_a_command_gets_the_message_and_the_secrets_that_it_names(tmp_path: Path) -> None:
    way = {
        "name": "own",
        "command": 'cat > got.json; echo "$CASTOFF_OUTCOME $CASTOFF_NUMBER $TOKEN" > got.txt',
        "secrets": ("TOKEN",),
    }
    assert send(tmp_path, way, TOKEN="tok-123456") == []
    assert (tmp_path / "got.txt").read_text() == "released 12 tok-123456\n"
    assert json.loads((tmp_path / "got.json").read_text())["version"] == "2"


def test_a_command_that_fails_is_told_with_its_last_line_without_secrets(tmp_path: Path) -> None:
    way = {"name": "own", "command": 'echo "no such room: $TOKEN"; exit 3', "secrets": ("TOKEN",)}
    (line,) = send(tmp_path, way, TOKEN="tok-123456")
    assert line.endswith("its command ended with status 3: no such room: ***")


def test_a_command_that_hangs_is_ended(tmp_path: Path) -> None:
    way = {"name": "own", "command": "exec sleep 600", "timeout": 0.3}
    (line,) = send(tmp_path, way)
    assert line.endswith("its command did not end within 0.3 s")
