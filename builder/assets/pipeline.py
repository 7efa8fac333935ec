"""The whole pipeline, in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from castoff.builder.assets import publish, stages
from castoff.builder.assets.cache import Cache
from castoff.builder.assets.collect import collect
from castoff.builder.assets.compress import compress
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.fingerprint import fingerprint
from castoff.builder.assets.import_maps import spell_out
from castoff.builder.assets.manifest import AssetManifest
from castoff.builder.assets.origins import Origins
from castoff.builder.assets.references.scanner import Scanner
from castoff.builder.assets.settings import AssetSettings, Root
from castoff.builder.assets.toolbox import Toolbox
from castoff.builder.cache import Cache as EntryCache


def build_assets(
    source: Sequence[Root],
    destination: Path,
    settings: AssetSettings,
    *,
    cache: Path,
    env: Mapping[str, str],
    entries: EntryCache | None = None,
    project: Path | None = None,
    jobs: int = 2,
) -> AssetManifest:
    """Build the assets of a project.

    The same sources, settings and tool versions give the same bytes, whatever the machine, the
    number of jobs, or what the cache holds.

    Args:
        source: Folders of sources; of two files with one name, the earlier root's counts.
        destination: New or empty folder for the results; `assets.json` and `staticfiles.json`
            lie at its top.
        settings: The project's choices.
        cache: Folder where fetched tools are kept between builds; other builds may use it at the
            same time.
        env: Environment for `node` and `npm`, where a chosen tool needs them: PATH, HOME, and
            npm's own variables count.
        entries: Where results are kept; None keeps them in `cache` too.
        project: Folder of all that imports of stylesheets may reach by `../`; None if that is
            nothing beside the roots and `load_paths`.
        jobs: How many files are worked on at once.

    Returns:
        The manifest, as written to `assets.json`.

    Raises:
        AssetError: A file is broken, a reference leads nowhere, or a tool is missing or fails.
    """
    if not settings.base_url.endswith("/"):
        raise AssetError(f"The base URL {settings.base_url} does not end in a slash")
    results = Cache(EntryCache(cache) if entries is None else entries)
    sources = collect(source, settings.exclude)
    with Toolbox(settings, source, cache=cache, env=env, project=project) as tools:
        compiled, heard = stages.compile_sources(sources, tools, results, jobs)
        minified, said = stages.minify(compiled, tools, results, jobs)
        spelled = spell_out(minified, base_url=settings.base_url, unhashed=settings.unhashed)
        named, missed = fingerprint(
            spelled,
            base_url=settings.base_url,
            unhashed=settings.unhashed,
            scanner=Scanner(tools.lexer, results),
            origins=Origins(sources, tools),
        )
        used = tools.used(one.name for one in named)
    variants, compressors = compress(named, settings.encodings, results, jobs)
    hashed = publish.hashed_by_vite(source)
    assets = {
        one.name: publish.describe(one, smaller, hashed)
        for one, smaller in zip(named, variants, strict=True)
    }
    manifest = AssetManifest(
        base_url=settings.base_url,
        assets={**assets, **publish.vite_entries(source, assets)},
        tools={**used, **compressors},
        warnings=(*heard, *said, *missed),
    )
    publish.write(destination, named, variants, manifest)
    return manifest
