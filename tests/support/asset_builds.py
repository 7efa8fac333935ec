"""Small projects of assets, built for real."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from castoff.builder.assets.manifest import AssetManifest
from castoff.builder.assets.settings import AssetSettings

Tree = Mapping[str, str | bytes]

#: Nothing minified, nothing compressed: for tests of names and references alone.
PLAIN = AssetSettings(
    minify_js="none",
    minify_css="none",
    minify_html="none",
    minify_svg="none",
    png="none",
    jpeg="none",
    gif="none",
    webp="none",
    encodings=(),
)


class Build(Protocol):
    """Builds a tree of files and gives the manifest and what was written."""

    def __call__(
        self, files: Tree, settings: AssetSettings = ..., *, folder: Path | None = ...
    ) -> Built: ...


class Built:
    """A build's outcome."""

    def __init__(self, manifest: AssetManifest, folder: Path) -> None:
        self.manifest = manifest
        self.folder = folder

    def path(self, name: str) -> str:
        return self.manifest.assets[name].path

    def text(self, name: str) -> str:
        return self.data(name).decode()

    def data(self, name: str) -> bytes:
        return (self.folder / self.path(name)).read_bytes()

    def files(self) -> dict[str, bytes]:
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}


def write(folder: Path, files: Tree) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder
