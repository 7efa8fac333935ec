"""Variants that a server can send as they are: Brotli, gzip and Zstandard."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import deflate

from castoff.builder.assets import content_type
from castoff.builder.assets.cache import Cache
from castoff.builder.assets.fingerprint import Named
from castoff.builder.assets.tool import Input, Output
from castoff.builder.assets.tools import extra
from castoff.config.asset_choices import Encoding

SUFFIX: dict[Encoding, str] = {"br": ".br", "gzip": ".gz", "zstd": ".zst"}

_BROTLI_QUALITY = 11
_GZIP_LEVEL = 12
_ZSTD_LEVEL = 19
# Browsers refuse larger windows (RFC 9659: 8 MiB).
_ZSTD_MOST_WINDOW = 23


class Compressor:
    """One encoding, at its best level, the same bytes every time."""

    def __init__(self, encoding: Encoding) -> None:
        work, versions, self._options = _MAKERS[encoding]()
        self._work: Callable[[bytes], bytes] = work
        self._versions: dict[str, str] = versions

    @property
    def versions(self) -> Mapping[str, str]:
        """The library."""
        return self._versions

    @property
    def options(self) -> str:
        """The level."""
        return self._options

    def run(self, source: Input) -> Output:
        """Compress one file; any bytes will do."""
        return Output(self._work(source.data))

    def close(self) -> None:
        """Nothing is kept running."""


def compress(
    assets: Sequence[Named], encodings: Sequence[Encoding], cache: Cache, jobs: int
) -> tuple[list[dict[Encoding, bytes]], dict[str, str]]:
    """Return, for each asset, the variants that are smaller than it, and the tools' versions.

    Raises:
        AssetError: A compressor is not installed.
    """
    tools = {encoding: Compressor(encoding) for encoding in encodings}

    def variants(asset: Named) -> dict[Encoding, bytes]:
        if not content_type.compressible(asset.path):
            return {}
        made = {
            encoding: cache.run(tool, Input(asset.path, asset.data)).data
            for encoding, tool in tools.items()
        }
        return {name: data for name, data in made.items() if len(data) < len(asset.data)}

    with ThreadPoolExecutor(jobs) as threads:
        results = list(threads.map(variants, assets))
    return results, {name: v for tool in tools.values() for name, v in tool.versions.items()}


_Made = tuple[Callable[[bytes], bytes], dict[str, str], str]


def _brotli() -> _Made:
    module = extra.load("brotli", "brotli")
    return (
        lambda data: module.compress(data, quality=_BROTLI_QUALITY),
        {"brotli": extra.version("brotli")},
        f"quality={_BROTLI_QUALITY}",
    )


def _gzip() -> _Made:
    options = f"level={_GZIP_LEVEL} {platform.machine()}"
    return _gzip_bytes, {"deflate": deflate.__version__}, options


def _gzip_bytes(data: bytes) -> bytes:
    """Compress by the libdeflate that comes with Castoff: Python's zlib is the machine's.

    Its header (RFC 1952) has no name, no time, "slowest algorithm" and "unknown system".
    """
    return bytes(deflate.gzip_compress(data, _GZIP_LEVEL))


def _zstd() -> _Made:
    module = extra.load("zstandard", "zstandard")

    def work(data: bytes) -> bytes:
        make = module.ZstdCompressionParameters.from_level
        parameters = make(_ZSTD_LEVEL, source_size=len(data))
        if parameters.window_log > _ZSTD_MOST_WINDOW:
            parameters = make(_ZSTD_LEVEL, source_size=len(data), window_log=_ZSTD_MOST_WINDOW)
        compressed: bytes = module.ZstdCompressor(compression_params=parameters).compress(data)
        return compressed

    versions = {"zstandard": extra.version("zstandard")}
    return work, versions, f"level={_ZSTD_LEVEL} window_log<={_ZSTD_MOST_WINDOW}"


_MAKERS: dict[Encoding, Callable[[], _Made]] = {"br": _brotli, "gzip": _gzip, "zstd": _zstd}
