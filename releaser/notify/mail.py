"""A message by e-mail."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr

from castoff.config.notify_tables import Email
from castoff.releaser.notify import words
from castoff.releaser.notify.attempt import NotSent, Patience, persistently
from castoff.releaser.notify.message import Message

_PORTS = {"starttls": 587, "tls": 465, "none": 25}
_TRANSIENT = range(400, 500)


def send(table: Email, message: Message, secrets: Mapping[str, str], patience: Patience) -> None:
    """Hand a message to the SMTP server.

    Raises:
        NotSent: The server cannot be reached, is not whom its certificate should name, or refuses.
        KeyError: The password is not there.
    """
    letter = compose(table, message)
    password = None if table.password_secret is None else secrets[table.password_secret]
    persistently(lambda left: _hand_over(table, letter, password, left), patience)


def compose(table: Email, message: Message) -> EmailMessage:
    """Return the letter."""
    letter = EmailMessage()
    # A line break in a header would begin another one, and the library refuses it.
    letter["Subject"] = " ".join(words.title(message).split())
    letter["From"] = table.sender
    letter["To"] = ", ".join(table.recipients)
    letter["Date"] = formatdate(localtime=False)
    letter["Message-ID"] = make_msgid(domain=parseaddr(table.sender)[1].rpartition("@")[2])
    # RFC 3834, 5: no machine is to answer it.
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(words.text(message))
    return letter


def _hand_over(
    table: Email, letter: EmailMessage, password: str | None, patience: Patience
) -> None:
    try:
        with _connected(table, patience) as server:
            if table.tls == "starttls":
                server.starttls(context=ssl.create_default_context())
            if table.user is not None and password is not None:
                server.login(table.user, password)
            refused = server.send_message(letter)
    except smtplib.SMTPException as error:
        raise _refusal(table, error) from None
    except OSError as error:
        raise _silence(table, error, patience) from None
    if refused:
        raise NotSent(f"{table.host} takes nothing for {', '.join(refused)}; others have it")


def _refusal(table: Email, error: smtplib.SMTPException) -> NotSent:
    """Return what a server's answer means; what it says itself may repeat what it was told."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        transient = all(code in _TRANSIENT for code in codes)
        names = ", ".join(error.recipients)
        return NotSent(f"{table.host} takes nothing for {names}", again=transient)
    if isinstance(error, smtplib.SMTPResponseException):
        login = isinstance(error, smtplib.SMTPAuthenticationError)
        what = "does not take the user or the password" if login else "refuses"
        again = error.smtp_code in _TRANSIENT
        return NotSent(f"{table.host} {what} (code {error.smtp_code})", again=again)
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return NotSent(f"{table.host} cannot do what `tls` and `user` ask for")
    return NotSent(f"{table.host} broke the connection off", again=True)


def _silence(table: Email, error: OSError, patience: Patience) -> NotSent:
    """Return why a server could not be talked to."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return NotSent(
            f"{table.host} has a certificate that is not trusted ({error.verify_message})"
        )
    if isinstance(error, TimeoutError):
        return NotSent(f"{table.host} did not answer within {patience.limit:g} s")
    why = error.strerror or type(error).__name__
    return NotSent(f"{table.host} cannot be reached: {why}", again=True)


def _connected(table: Email, patience: Patience) -> smtplib.SMTP:
    port = table.port or _PORTS[table.tls]
    left = max(patience.left, 0.001)
    if table.tls == "tls":
        trusted = ssl.create_default_context()
        return smtplib.SMTP_SSL(table.host, port, timeout=left, context=trusted)
    return smtplib.SMTP(table.host, port, timeout=left)
