"""less.js in V8 inside Python; its imports are served from the disk.

V8 calls nothing back, so a stylesheet is rendered again with the files that it asked for, until
it asks for no more: as many rounds as imports are nested deep.
"""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from castoff.builder.assets import content_type
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.text import decode
from castoff.builder.assets.tool import Input, Output
from castoff.builder.assets.tools import npm, v8
from castoff.builder.assets.tools.less_result import check
from castoff.builder.assets.tools.load_paths import LoadPaths
from castoff.builder.assets.tools.source_map import Segment
from castoff.config.asset_choices import LessMath

_MOST_ROUNDS = 100

# less.js wants a browser; no more of it than this is used.
_PROGRAM_HEAD = """
var location = {href: "file:///", protocol: "file:", hostname: "", port: "", hash: ""};
var document = {
  currentScript: {dataset: {}}, location,
  getElementsByTagName: () => [], getElementById: () => null, createElement: () => ({}),
};
var window = {location, document, less: {onReady: false}};
"""
_PROGRAM_TAIL = """
var known = {};
var learn = files => { Object.assign(known, files); return null; };
var compile = (source, filename, paths, math, wantsMap) => {
  const less = window.less, wanted = new Set();
  class Disk extends less.AbstractFileManager {
    supports() { return true; }
    supportsSync() { return true; }
    loadFileSync(name, folder, options) {
      const named = options.ext ? this.tryAppendExtension(name, options.ext) : name;
      const folders = this.isPathAbsolute(name) ? [""] : [folder, ...paths];
      let unknown = false;
      for (const one of folders) for (const end of named === name ? [name] : [named, name]) {
        const path = one && !one.endsWith("/") ? one + "/" + end : one + end;
        if (!(path in known)) { wanted.add(path); unknown = true; }
        else if (known[path] !== null) {
          if (unknown) break;
          const {text, base64} = known[path];
          // `data-uri()` wants the bytes, imports the text.
          const contents = options.rawBuffer ? {base64, toString: () => text} : text;
          return {filename: path, contents};
        }
      }
      if (unknown) return {filename: name, contents: ""};
      return {error: true, type: "File", message: `'${name}' wasn't found`};
    }
  }
  less.environment.mimeLookup = path => types["." + path.split(".").pop()] || unknown_type;
  less.environment.charsetLookup = type => type.startsWith("text/") ? "UTF-8" : "";
  less.environment.encodeBase64 = content => content.base64;
  let answer = {error: {message: "less.js gave no answer"}};
  // The generator of source maps is no part of the program for browsers.
  less.environment.getSourceMapGenerator = () => class {
    segments = [];
    addMapping({generated, original, source}) {
      this.segments.push([generated.line, generated.column + 1, source, original.line]);
    }
    setSourceContent() {}
    toJSON() { return this.segments; }
  };
  const plugin = {install: (_, manager) => manager.addFileManager(new Disk())};
  try {
    less.render(source, {
      filename, math, syncImport: true, javascriptEnabled: false, plugins: [plugin],
      ...(wantsMap && {sourceMap: {}}),
    }, (error, output) => {
      answer = error ? {error: {
        message: error.message, line: error.line, column: error.column, filename: error.filename,
      }} : {css: output.css, map: output.map};
    });
  } catch (error) { answer = {error: {message: String(error.message)}}; }
  return {...answer, wanted: [...wanted]};
};
"""


class LessV8:
    """Started when first needed: what the cache holds needs no compiler."""

    def __init__(
        self, load_paths: LoadPaths, math: LessMath, cache: Path, env: Mapping[str, str]
    ) -> None:
        pin = npm.pin("less")
        self._load_paths = load_paths
        self._math = math
        self._versions = {"less": pin.version, "mini-racer": v8.version()}
        self._lock = threading.Lock()
        self._started: v8.V8 | None = None
        self._cache, self._env = cache, env

    @property
    def _v8(self) -> v8.V8:
        with self._lock:
            if self._started is None:
                self._started = self._start()
            return self._started

    def _start(self) -> v8.V8:
        plain = {end: kind.partition(";")[0] for end, kind in content_type.BY_SUFFIX.items()}
        types = (
            f"var types = {json.dumps(plain)}, unknown_type = {json.dumps(content_type.UNKNOWN)};"
        )
        program = npm.fetch(npm.pin("less"), self._cache, self._env)
        return v8.V8(_PROGRAM_HEAD + types + program + _PROGRAM_TAIL)

    @property
    def versions(self) -> Mapping[str, str]:
        """less.js, and the V8 that runs it."""
        return self._versions

    @property
    def options(self) -> str:
        """`math`."""
        return self._math

    def run(self, source: Input) -> Output:
        """Compile one stylesheet; see `AssetTool.run`."""
        answer = self._compile(source, source_map=False)
        text = decode(source.data, source.name)
        return Output(check(answer, source, text, self._load_paths).encode())

    def segments(self, source: Input) -> list[Segment]:
        """Compile it once more; see `Compiler.segments`."""
        answer = self._compile(source, source_map=True)
        check(answer, source, "", self._load_paths)
        return [Segment(*each) for each in json.loads(answer["map"])]

    def close(self) -> None:
        """Free V8."""
        if self._started is not None:
            self._started.close()

    def _compile(self, source: Input, *, source_map: bool) -> dict[str, Any]:
        text = decode(source.data, source.name)
        path = os.fspath(source.path or source.name)
        paths = [str(folder) for folder in self._load_paths.folders]
        for _ in range(_MOST_ROUNDS):
            answer: dict[str, Any] = self._v8.call(
                "compile", text, path, paths, self._math, source_map
            )
            if not answer["wanted"]:
                return answer
            self._v8.call("learn", {name: _read(name) for name in answer["wanted"]})
        raise AssetError("its imports never end", file=source.name)


def _read(name: str) -> dict[str, str] | None:
    path = Path(name)
    if not path.is_file():
        return None
    data = path.read_bytes()
    return {
        "text": data.decode("utf-8-sig", errors="replace"),
        "base64": base64.b64encode(data).decode(),
    }
