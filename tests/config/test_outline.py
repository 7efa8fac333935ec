"""What a list needs of castoff.toml, read without the models, is what the models read."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from castoff.config.errors import ConfigError
from castoff.config.load import load
from castoff.config.outline import read_outline

APP = "[apps.shop]\n"


@pytest.mark.parametrize(
    "text",
    [
        APP,
        '[store]\nurl = "file:///srv/store"\n[apps.shop]\n[apps.blog]\n',
        '[store]\nurl = "s3://bucket/x"\nurl_expires = 60\npatches = 0\n[apps.shop]\n',
        (
            '[store]\nurl = "s3://bucket"\nendpoint_url = "http://localhost:9000"\nregion = "x"\n'
            'profile = "p"\npath_style = false\nchecksums = "md5"\ntimeout = 2.5\n[apps.shop]\n'
        ),
        (
            'default_app = "b"\ndefault_environment = "y"\n[apps.a]\n[apps.b]\n'
            '[environments.x]\nhosts = [{ name = "h" }]\n'
            '[environments.y]\ninherits = "x"\n'
        ),
    ],
)
def test_an_outline_says_what_the_whole_file_does(tmp_path: Path, text: str) -> None:
    path = tmp_path / "castoff.toml"
    path.write_text(text)
    whole = load(path)

    outline = read_outline(path)

    assert outline is not None
    assert outline.base == whole.base
    assert asdict(outline.store).items() <= whole.config.store.model_dump().items()
    assert outline.apps == tuple(whole.config.apps)
    assert outline.environments == tuple(whole.config.environments)
    assert outline.default_app == whole.config.default_app
    assert outline.default_environment == whole.config.default_environment


@pytest.mark.parametrize(
    "text",
    [
        '[store]\nurl = "ftp://host/x"\n' + APP,
        '[store]\nurl = "s3://bucket/x"\ntimeout = 0\n' + APP,
        '[store]\nurl = "s3://bucket/x"\ntimeout = true\n' + APP,
        '[store]\nurl = "s3://bucket/x"\npath_style = 1\n' + APP,
        '[store]\nurl = "s3://bucket/x"\nchecksums = "crc32"\n' + APP,
        '[store]\nurl = "s3://bucket/x"\nchecksums = []\n' + APP,
        '[store]\nurl = "s3://bucket/x"\nregion = ""\n' + APP,
        '[store]\nurl = "file:///x"\nurll = 1\n' + APP,
        "[store]\nurl = 3\n" + APP,
        "store = 1\n" + APP,
        "apps = 1\n",
        "",
        "[apps.Shop]\n",
        "[apps]\nshop = 3\n",
        "default_app = 3\n" + APP,
        "default_environment = 3\n" + APP,
        "environments = 3\n" + APP,
        "[environments]\nx = 1\n" + APP,
    ],
)
def test_what_an_outline_cannot_tell_is_left_to_the_models(tmp_path: Path, text: str) -> None:
    path = tmp_path / "castoff.toml"
    path.write_text(text)
    assert read_outline(path) is None


def test_a_file_that_is_no_toml_is_told_of(tmp_path: Path) -> None:
    path = tmp_path / "castoff.toml"
    path.write_text("[apps\n")
    with pytest.raises(ConfigError, match="not TOML"):
        read_outline(path)
