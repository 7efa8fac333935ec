"""A message to an incoming webhook as Slack's: Mattermost, Rocket.Chat and others take it too."""

from __future__ import annotations

import json
from collections.abc import Mapping

from castoff.config.notify_tables import Slack
from castoff.releaser.notify import words
from castoff.releaser.notify.attempt import Patience, persistently
from castoff.releaser.notify.message import Message
from castoff.releaser.notify.post import post

# What Slack cuts off itself is at 40,000 characters; Mattermost's limit is 16,383.
_MOST = 16_000
_SIGNS = {
    "started": ":hourglass_flowing_sand:",
    "released": ":white_check_mark:",
    "prepared": ":package:",
    "failed": ":x:",
    "rolled back": ":leftwards_arrow_with_hook:",
    "mixed": ":rotating_light:",
    "interrupted": ":warning:",
}


def send(table: Slack, message: Message, secrets: Mapping[str, str], patience: Patience) -> None:
    """Post a message; raises as `webhook.send`."""
    body = json.dumps({"text": text(message)}, ensure_ascii=False).encode()
    url = secrets[table.url_secret]
    headers = {"Content-Type": "application/json"}
    persistently(lambda left: post(url, body, headers, left), patience)


def text(message: Message) -> str:
    """Return a message as Slack's mrkdwn; what was not written by us means nothing in it."""
    lines = [f"{_SIGNS[message.occasion]} *{_escaped(words.title(message))}*"]
    lines += [f"> {_escaped(line)}" for line in words.trouble(message)]
    lines += [f"{word}: {_escaped(value)}" for word, value in words.facts(message)]
    lines += [_escaped(line) for line in words.commits(message.notes)]
    whole = "\n".join(lines)
    return whole if len(whole) <= _MOST else whole[: _MOST - 1] + "…"


def _escaped(text: str) -> str:
    # So a subject such as <!channel> calls nobody (Slack, "Formatting text for app surfaces").
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
