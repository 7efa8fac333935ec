"""Tools of npm, at pinned versions, in Node: minifiers, Sass, Less and SVGO."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from castoff.builder.assets import guard
from castoff.builder.assets.errors import AssetError, ToolDoesNotRun
from castoff.builder.assets.text import decode
from castoff.builder.assets.tool import Input, Output
from castoff.builder.assets.tools import css_syntax, node_programs, npm, svg_options
from castoff.builder.assets.tools.lexer import Lexer
from castoff.builder.assets.tools.load_paths import LoadPaths
from castoff.builder.assets.tools.node_process import NodeProcess
from castoff.builder.assets.tools.source_map import Segment, segments_of
from castoff.config.asset_choices import LessMath

Job = Literal["esbuild-js", "esbuild-css", "swc", "terser", "uglify-js", "sass", "less", "svgo"]

_SCRIPTS = ("esbuild-js", "swc", "terser", "uglify-js")


class NodeTool:
    """Installed and started when made; `driver.cjs` knows each tool's own ways."""

    def __init__(
        self,
        job: Job,
        cache: Path,
        env: Mapping[str, str],
        *,
        lexer: Lexer | None = None,
        load_paths: LoadPaths | None = None,
        math: LessMath = "parens-division",
    ) -> None:
        self._job = job
        self._lexer = lexer
        self._load_paths = load_paths or LoadPaths(())
        self._math = math
        self._lock_name = job.removesuffix("-js") if job == "esbuild-js" else job
        self._lock_name = self._lock_name.removesuffix("-css")
        self._node = node_programs.find(env).version
        self._process = NodeProcess(job, npm.install(self._lock_name, cache, env), env)

    @property
    def versions(self) -> Mapping[str, str]:
        """The npm package, and the Node that runs it."""
        name, version = npm.locked_version(self._lock_name)
        return {name: version, "node": self._node}

    @property
    def options(self) -> str:
        """The job, and Less's `math`."""
        return f"{self._job} {self._math if self._job == 'less' else ''}"

    def run(self, source: Input) -> Output:
        """Work on one file; see `AssetTool.run`."""
        text = decode(source.data, source.name)
        if self._job == "esbuild-css":
            # It repairs broken CSS and goes on.
            css_syntax.check(text, source.name)
        drew = svg_options.check(text, source.name) if self._job == "svgo" else False
        if self._job == "svgo" and svg_options.is_left_alone(text):
            return Output(source.data)
        answer = self._process.call(self._request(source, text))
        if "stopped" in answer:
            raise ToolDoesNotRun(self._lock_name, answer["stopped"])
        if "error" in answer:
            raise self._translate(answer["error"], source)
        code = str(answer["code"])
        if self._job == "svgo":
            svg_options.check_result(code, source.name, drew=drew, tool="svgo")
        elif self._job not in ("sass", "less"):
            scripts = self._job in _SCRIPTS
            guard.check(source.name, text, code, tool=self._job, line_comments=scripts)
        return Output(code.encode(), tuple(answer.get("warnings", ())))

    def segments(self, source: Input) -> list[Segment]:
        """Compile a stylesheet once more; see `Compiler.segments`."""
        text = decode(source.data, source.name)
        answer = self._process.call({**self._request(source, text), "map": True})
        if "error" in answer:
            raise self._translate(answer["error"], source)
        return segments_of(answer["map"])

    def close(self) -> None:
        """End the process."""
        self._process.close()

    def _request(self, source: Input, text: str) -> dict[str, Any]:
        return {
            "code": text,
            "name": source.name,
            "module": self._lexer is not None and self._lexer.is_module(text, source.name),
            "path": str(source.path),
            "paths": [str(folder) for folder in self._load_paths.folders],
            "math": self._math,
            "config": svg_options.config(text) if self._job == "svgo" else None,
        }

    def _translate(self, error: dict[str, Any], source: Input) -> AssetError:
        file = error.get("file")
        return AssetError(
            str(error["message"]).replace("\n", " "),
            file=source.name if file in (None, str(source.path)) else self._load_paths.shown(file),
            line=error.get("line"),
            column=error.get("column"),
        )
