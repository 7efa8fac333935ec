"""What castoff.toml may say of notifications and tags, and what it is told where it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.config.errors import ConfigError
from castoff.config.load import load

HEAD = """\
[apps.shop]
[environments.production]
[environments.production.secrets]
URL = { env = "URL" }
[[environments.production.hosts]]
name = "web1"
"""
WAY = '[[environments.production.notify]]\nname = "team"\n'
MAIL = '[environments.production.notify.email]\nhost = "h"\nsender = "a@b"\nrecipients = ["c@d"]\n'
TAG = "[environments.production.tag]\n"


def problems(folder: Path, text: str) -> str:
    """Return what is told of a configuration that is not taken."""
    (folder / "castoff.toml").write_text(HEAD + text)
    with pytest.raises(ConfigError) as caught:
        load(folder / "castoff.toml")
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (WAY, "'team' needs one of 'webhook', 'slack', 'email' and 'command', and has none"),
        (
            f'{WAY}command = "x"\nslack = {{ url_secret = "URL" }}\n',
            "and has 'slack' and 'command'",
        ),
        (f'{WAY}slack = {{ url_secret = "ULR" }}\n', "wants the secret 'ULR', which is not under"),
        (
            f'{WAY}webhook = {{ url = "https://x/{{KEY}}" }}\n',
            "wants the secret 'KEY', which is not under",
        ),
        (f'{WAY}slack = {{ url_secret = "URL" }}\nsecrets = ["URL"]\n', "are variables of a"),
        (f'{WAY}slack = {{ url_secret = "URL" }}\non = ["relased"]\n', "did you mean 'released'?"),
        (f'{WAY}command = "x"\n{WAY}command = "y"\n', "two notifications are named 'team'"),
        (
            f'{WAY}webhook = {{ url = "https://x", headers = {{ "a b" = "c" }} }}\n',
            "is no name of an HTTP header",
        ),
        (f'{WAY}{MAIL}password_secret = "URL"\n', "'password_secret' needs 'user'"),
        (
            f'{WAY}{MAIL}password_secret = "URL"\nuser = "x"\ntls = "none"\n',
            "would send the password in the clear",
        ),
        (f'{TAG}name = "live"\n', "must have {n} in it"),
        (f'{TAG}name = "r/{{env}}/{{n}}"\n', "{env} stands for nothing"),
        (f'{TAG}tagger = "nobody"\n', "must be a name and an address"),
        (f'{TAG}push = "--force"\n', "must not start with '-'"),
        (f"{TAG}[apps.blog]\n", "must have {app} in it"),
        (
            f'{TAG}name = "r/{{n}}"\n[environments.staging]\ninherits = "production"\n',
            "must have {environment} in it",
        ),
    ],
)
def test_what_does_not_go_together_is_told(tmp_path: Path, text: str, said: str) -> None:
    assert said in problems(tmp_path, text)


def test_a_url_in_the_place_of_its_secrets_name_is_not_shown(tmp_path: Path) -> None:
    url = "https://hooks.example.com/services/very-secret"
    told = problems(tmp_path, f'{WAY}slack = {{ url_secret = "{url}" }}\n')
    assert "url_secret" in told
    assert "very-secret" not in told
