"""`[apps.NAME.assets]`: what is refused, in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.config.errors import ConfigError
from castoff.config.load import load


def written(folder: Path, table: str) -> Path:
    path = folder / "castoff.toml"
    path.write_text(f"[apps.shop.assets]\n{table}\n")
    return path


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("", "needs 'sources', a list of folders, or 'collectstatic'"),
        ('sources = ["../front"]', "must be a relative path without '..'"),
        ('sources = ["a"]\nbase_url = "/static"', "base_url: must start with '/', 'http://'"),
        ('sources = ["a"]\nbase_url = "static/"', "base_url: must start with '/', 'http://'"),
        ('sources = ["a"]\nminify_js = "tersr"', "did you mean 'terser'?"),
        ('sources = ["a"]\nencodings = ["gz"]', "must be 'br', 'gzip' or 'zstd'"),
        ('source = ["a"]', "unknown key 'source'; did you mean 'sources'?"),
    ],
)
def test_what_no_build_could_use_is_refused(tmp_path: Path, table: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, table))

    assert complaint in str(caught.value)


@pytest.mark.parametrize("url", ["/", "/a/b/", "https://cdn.example.com/shop/"])
def test_a_path_or_a_whole_url_will_do(tmp_path: Path, url: str) -> None:
    config = load(written(tmp_path, f'sources = ["a"]\nbase_url = "{url}"')).config

    assets = config.apps["shop"].assets
    assert assets is not None
    assert assets.base_url == url


@pytest.mark.parametrize(
    ("rest", "complaint"),
    [
        ("urls = []", "must not be empty"),
        ('urls = ["https://a.example/x"]', "must start with 'http://' or 'https://' and end"),
        ('urls = ["/static/"]', "must start with 'http://' or 'https://' and end"),
        ('urls = ["https://b.example/"]', "'https://a.example/', which is not among them"),
    ],
)
def test_a_cdn_that_pages_would_not_load_from_is_refused(
    tmp_path: Path, rest: str, complaint: str
) -> None:
    table = f'sources = ["a"]\nbase_url = "https://a.example/"\n[apps.shop.cdn]\n{rest}'
    with pytest.raises(ConfigError) as caught:
        load(written(tmp_path, table))

    assert complaint in str(caught.value)


def test_a_cdn_without_assets_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "castoff.toml"
    path.write_text('[apps.shop.cdn]\nurls = ["https://a.example/"]\n')

    with pytest.raises(ConfigError) as caught:
        load(path)

    assert "needs assets to publish" in str(caught.value)
