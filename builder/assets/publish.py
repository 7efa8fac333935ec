"""Assets, their variants and the manifests, written into a folder."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath

from castoff.builder.assets import content_type, django, manifest, vite
from castoff.builder.assets.compress import SUFFIX
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.fingerprint import Named
from castoff.builder.assets.manifest import Asset, AssetManifest, Variant
from castoff.builder.assets.names import integrity, is_own_hashed_name
from castoff.builder.assets.settings import Root
from castoff.config.asset_choices import Encoding
from castoff.store.digest import sha256


def describe(asset: Named, variants: Mapping[Encoding, bytes], hashed: Collection[str]) -> Asset:
    """Return an asset's entry in the manifest.

    Args:
        asset: The asset.
        variants: Its compressed copies.
        hashed: Names to which another tool has given digests.
    """
    own = asset.path != asset.name or is_own_hashed_name(asset.path, asset.data)
    return Asset(
        path=asset.path,
        sha256=sha256(asset.data),
        integrity=integrity(asset.data),
        size=len(asset.data),
        content_type=content_type.of(asset.path),
        encodings={
            name: Variant(asset.path + SUFFIX[name], len(data)) for name, data in variants.items()
        },
        immutable=own or asset.path in hashed,
    )


def hashed_by_vite(roots: Sequence[Root]) -> frozenset[str]:
    """Return the logical names that hold digests of Vite's."""
    return frozenset(
        str(PurePosixPath(root.prefix) / name)
        for root in roots
        for name in vite.hashed_files(root.folder)
    )


def vite_entries(roots: Sequence[Root], assets: Mapping[str, Asset]) -> dict[str, Asset]:
    """Return an entry for each source that Vite built, by its path in the project.

    Raises:
        AssetError: A manifest of Vite does not fit its folder.
    """
    entries = {}
    for root in roots:
        prefix = PurePosixPath(root.prefix)
        for chunk in vite.chunks(root.folder):
            built = assets.get(str(prefix / chunk.file))
            if built is not None:
                entries[str(prefix / chunk.source)] = Asset(
                    path=built.path,
                    sha256=built.sha256,
                    integrity=built.integrity,
                    size=built.size,
                    content_type=built.content_type,
                    encodings=built.encodings,
                    immutable=built.immutable,
                    css=tuple(str(prefix / file) for file in chunk.css),
                    imports=tuple(str(prefix / source) for source in chunk.imports),
                )
    return entries


def write(
    destination: Path,
    assets: Sequence[Named],
    variants: Sequence[Mapping[Encoding, bytes]],
    built: AssetManifest,
) -> None:
    """Write everything into a folder that is new or empty.

    Raises:
        AssetError: Something is in it already, or two files get one name.
    """
    if destination.is_dir() and any(destination.iterdir()):
        raise AssetError(f"{destination}: this folder of built assets is not empty")
    destination.mkdir(parents=True, exist_ok=True)
    folders = {destination}
    for asset, compressed in zip(assets, variants, strict=True):
        place = destination / asset.path
        if place.parent not in folders:
            place.parent.mkdir(parents=True, exist_ok=True)
            folders.add(place.parent)
        _write(place, asset.data)
        for encoding, data in compressed.items():
            _write(destination / (asset.path + SUFFIX[encoding]), data)
    _write(destination / manifest.FILE, built.to_bytes())
    _write(destination / django.FILE, django.to_bytes(built.assets))


def _write(path: Path, data: bytes) -> None:
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise AssetError(
            f"{path.name}: two assets would be written here", hint="Exclude or rename one."
        ) from error
