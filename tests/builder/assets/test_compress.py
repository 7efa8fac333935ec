from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path

import brotli
import deflate
import pytest
import zstandard

from castoff.builder.assets.cache import Cache
from castoff.builder.assets.compress import compress
from castoff.builder.assets.fingerprint import Named
from castoff.builder.cache import Cache as EntryCache
from castoff.config.asset_choices import Encoding

TEXT = b"a { color: red }\n" * 500
ALL: tuple[Encoding, ...] = ("br", "gzip", "zstd")


def variants(path: str, data: bytes, folder: Path) -> dict[Encoding, bytes]:
    (made,), _ = compress([Named(path, path, data)], ALL, Cache(EntryCache(folder)), 2)
    return made


def test_each_variant_opens_to_the_same_bytes(tmp_path: Path) -> None:
    made = variants("a.css", TEXT, tmp_path)
    assert brotli.decompress(made["br"]) == TEXT
    assert gzip.decompress(made["gzip"]) == TEXT
    assert zstandard.ZstdDecompressor().decompress(made["zstd"]) == TEXT
    assert all(len(data) < 200 for data in made.values())


def test_a_gzip_header_tells_no_time_and_no_system(tmp_path: Path) -> None:
    assert variants("a.css", TEXT, tmp_path)["gzip"][:10] == bytes.fromhex("1f8b08000000000002ff")


def test_gzip_is_not_by_the_machine_s_zlib(tmp_path: Path) -> None:
    text = Path(zstandard.__file__).read_bytes()
    body = variants("a.css", text, tmp_path)["gzip"][10:-8]
    made = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    assert body == deflate.deflate_compress(text, 12)
    assert len(body) < len(made.compress(text) + made.flush())


def test_a_variant_that_saves_nothing_is_left_out(tmp_path: Path) -> None:
    assert variants("a.css", os.urandom(500), tmp_path) == {}
    assert variants("a.css", b"", tmp_path) == {}


@pytest.mark.parametrize("name", ["a.png", "a.WOFF2", "a.jpg", "a.mp4"])
def test_what_is_compressed_by_nature_is_not_tried(name: str, tmp_path: Path) -> None:
    assert variants(name, TEXT, tmp_path) == {}


def test_browsers_can_open_a_large_zstd_file(tmp_path: Path) -> None:
    # More than the window that browsers allow (2 ** 23), with a repetition across it.
    block = os.urandom(1 << 20)
    large = block + bytes(9 << 20) + block
    made = compress([Named("a.wasm", "a.wasm", large)], ("zstd",), Cache(EntryCache(tmp_path)), 1)[
        0
    ][0]["zstd"]
    assert zstandard.get_frame_parameters(made).window_size <= 1 << 23
    opened = zstandard.ZstdDecompressor(max_window_size=1 << 23).decompress(made)
    assert opened == large
