"""A webhook: the message as JSON, maybe signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from collections.abc import Mapping

from castoff.config.notify_tables import Webhook
from castoff.config.placeholders import filled
from castoff.releaser.notify.attempt import Patience, persistently
from castoff.releaser.notify.message import Message, as_json
from castoff.releaser.notify.post import post


def send(table: Webhook, message: Message, secrets: Mapping[str, str], patience: Patience) -> None:
    """Post a message.

    All tries have one `Castoff-Delivery`, by which a receiver knows that it has had the message.
    The signature is that of WebSub (section 7): `sha256=`, and the HMAC of the body's bytes.

    Raises:
        NotSent: It was not taken.
        KeyError: A secret that the table names is not there.
    """
    body = json.dumps(as_json(message), ensure_ascii=False).encode()
    headers = {
        "Content-Type": "application/json",
        "Castoff-Delivery": str(uuid.uuid4()),
        **{name: filled(text, secrets) for name, text in table.headers.items()},
    }
    if table.hmac_secret is not None:
        key = secrets[table.hmac_secret].encode()
        digest = hmac.new(key, body, hashlib.sha256).hexdigest()
        headers[table.hmac_header] = f"sha256={digest}"
    url = filled(table.url, secrets)
    persistently(lambda left: post(url, body, headers, left), patience)
