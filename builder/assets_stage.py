"""What browsers load: from the app's sources to `static/` in the release, as castoff.toml says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path

from castoff.builder.assets.collectstatic import CollectedStatic, collect_static
from castoff.builder.assets.errors import AssetError, ProgramFailed
from castoff.builder.assets.node_build import run_node_build
from castoff.builder.assets.settings import AssetSettings, Root
from castoff.builder.assets.shown_paths import shown, with_paths
from castoff.builder.cache import Cache
from castoff.builder.environment import back_end_environment
from castoff.builder.on_disk import OnDisk
from castoff.builder.stages import Stages
from castoff.builder.wheel import Workshop
from castoff.config.app_tables import Assets

_PIPELINE = "castoff.builder.assets.pipeline"
# Of the build's own environment, what Node needs too.
_FIXED = ("HOME", "TMPDIR", "LANG", "LC_ALL", "TZ", "SOURCE_DATE_EPOCH")


def fill_static(
    tree: Path,
    table: Assets,
    app: Path,
    top: Path,
    workshop: Workshop,
    stages: Stages,
    *,
    on_disk: OnDisk,
    cache: Cache,
    tools: Path | None,
    environment: Mapping[str, str],
    workers: int,
) -> Mapping[str, str]:
    """Build the assets into the tree's `static/`; return the versions of what made them, by tool.

    Args:
        tree: The release's tree, with `app/` and `bin/` filled.
        table: The app's choices.
        app: Its folder in the export; a Node build writes into it.
        top: The whole export.
        workshop: Where and with what Django is run.
        stages: Told of `assets`, and of the tools' warnings.
        on_disk: What is in `lib/`, for Django.
        cache: For results.
        tools: Folder for tools that are fetched, kept between builds; None keeps none.
        environment: The caller's; Node and npm get their part of it.
        workers: How many files are worked on at once.

    Raises:
        AssetError: A folder is missing, a file is broken, a reference leads nowhere, or a tool is
            missing or fails.
    """
    node: Mapping[str, str] = {}
    if table.node_script is not None:
        fixed = {name: workshop.env[name] for name in _FIXED}
        with stages.stage("assets", f"npm run {table.node_script}"):
            node = run_node_build(app, table.node_script, env=environment, fixed=fixed)
    roots = [Root(folder) for folder in _folders(app, "sources", table.sources)]
    static_url = "/static/"
    if table.collectstatic:
        # What comes after it is loaded while Django loads.
        with ThreadPoolExecutor(1) as beside, stages.stage("assets", "collectstatic"):
            beside.submit(import_module, _PIPELINE)
            found = on_disk.run(
                lambda: _collect(tree, table, app, workshop),
                failure=ProgramFailed,
                warn=lambda text: stages.progress("assets", f"warning: collectstatic: {text}"),
            )
        roots.append(found.root)
        static_url = found.static_url
    from castoff.builder.assets.pipeline import build_assets

    settings = _settings(table, app, table.base_url or static_url)
    with stages.stage("assets", f"to be served at {settings.base_url}"):
        try:
            manifest = build_assets(
                roots,
                tree / "static",
                settings,
                cache=tools or workshop.folder / "asset-tools",
                env=environment,
                entries=cache,
                project=top,
                jobs=workers,
            )
        except AssetError as error:
            raise with_paths(error, roots, app) from error
    for warning in manifest.warnings:
        stages.progress("assets", f"warning: {shown(warning, roots, app)}")
    return {**manifest.tools, **node}


def _folders(app: Path, key: str, names: Iterable[str]) -> Iterable[Path]:
    for name in names:
        if not (app / name).is_dir():
            raise AssetError(
                f"{key} names {name}, and there is no such folder",
                hint="It is relative to the app's `path`; what git does not track is not there, "
                "save for what `node_script` has written.",
            )
        yield app / name


def _collect(tree: Path, table: Assets, app: Path, workshop: Workshop) -> CollectedStatic:
    python = tree / "bin" / "python"
    if not python.is_file():
        raise AssetError(
            "collectstatic needs Django, and the app has no lock to install it from",
            hint="Add a lock, or set collectstatic = false under [apps.NAME.assets].",
        )
    found = [path for pattern in ("manage.py", "*/manage.py") for path in sorted(app.glob(pattern))]
    return collect_static(
        found[0].parent if found else app,
        workshop.folder / "collected",
        python=python,
        env={
            **back_end_environment(workshop.env),
            "CASTOFF_PYTHON": str(workshop.interpreter.path),
            **table.env,
        },
    )


def _settings(table: Assets, app: Path, base_url: str) -> AssetSettings:
    return AssetSettings(
        base_url=base_url,
        minify_js=table.minify_js,
        minify_css=table.minify_css,
        minify_html=table.minify_html,
        minify_svg=table.minify_svg,
        sass=table.sass,
        less=table.less,
        less_math=table.less_math,
        png=table.png,
        jpeg=table.jpeg,
        gif=table.gif,
        webp=table.webp,
        load_paths=tuple(_folders(app, "load_paths", table.load_paths)),
        browsers=table.browsers,
        unhashed=table.unhashed,
        exclude=table.exclude,
        encodings=table.encodings,
    )
