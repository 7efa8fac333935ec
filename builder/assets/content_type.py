"""Content types by suffix: one table, since the system's own differs from machine to machine."""

from __future__ import annotations

from pathlib import PurePosixPath

UNKNOWN = "application/octet-stream"

BY_SUFFIX = {
    ".avif": "image/avif",
    ".bmp": "image/bmp",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".eot": "application/vnd.ms-fontobject",
    ".gif": "image/gif",
    ".gz": "application/gzip",
    ".htm": "text/html; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".md": "text/markdown; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".ogg": "audio/ogg",
    ".otf": "font/otf",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".vtt": "text/vtt; charset=utf-8",
    ".wasm": "application/wasm",
    ".webm": "video/webm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
    ".zip": "application/zip",
}

# Compressed already, or so by their nature: a second time costs seconds and saves nothing.
_DENSE = frozenset(
    [
        ".avif",
        ".gif",
        ".gz",
        ".jpeg",
        ".jpg",
        ".mp3",
        ".mp4",
        ".ogg",
        ".png",
        ".webm",
        ".webp",
        ".woff",
        ".woff2",
        ".zip",
        ".br",
        ".zst",
    ]
)


def of(name: str) -> str:
    """Return the content type of a file by its name."""
    return BY_SUFFIX.get(PurePosixPath(name).suffix.lower(), UNKNOWN)


def compressible(name: str) -> bool:
    """Say whether it is worth trying to compress a file, by its name."""
    return PurePosixPath(name).suffix.lower() not in _DENSE
