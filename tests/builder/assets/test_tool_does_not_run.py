"""A tool that cannot be run is told of as that, whatever file it was to work on."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from castoff.builder.assets.errors import AssetError, ToolDoesNotRun
from castoff.builder.assets.tool import Input
from castoff.builder.assets.tools import npm
from castoff.builder.assets.tools.closure import Closure
from castoff.builder.assets.tools.fallback import Fallback
from castoff.builder.assets.tools.node_tool import NodeTool

SCRIPT = Input("a.js", b"sum( 1 )")
# What esbuild answers where its program cannot be started.
STOPPED = """
exports.stop = () => {};
exports.transform = async () => {
  throw new Error("The service was stopped: spawn esbuild EACCES");
};
"""


def test_esbuild_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = tmp_path / "node_modules/esbuild/index.js"
    module.parent.mkdir(parents=True)
    module.write_text(STOPPED)
    monkeypatch.setattr(npm, "install", lambda *_: tmp_path)
    tool = NodeTool("esbuild-js", tmp_path, dict(os.environ))
    try:
        with pytest.raises(ToolDoesNotRun, match=r"^esbuild cannot be run: .* EACCES") as refused:
            tool.run(SCRIPT)
    finally:
        tool.close()
    assert "noexec" in refused.value.hint


def test_closure_is_and_no_other_tool_takes_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, _ = npm.locked_version("closure")
    program = tmp_path / "node_modules" / name / "compiler"
    program.parent.mkdir(parents=True)
    program.write_bytes(b"\x7fELF")
    monkeypatch.setattr(npm, "install", lambda *_: tmp_path)
    lexer: Any = SimpleNamespace(is_module=lambda *_: False)
    closure = Closure(lexer, tmp_path, {})
    # As on a file system that is mounted noexec (execve(2): EACCES).
    program.chmod(0o644)
    with pytest.raises(ToolDoesNotRun, match="compiler cannot be run: Permission denied"):
        Fallback(closure, closure).run(SCRIPT)


def test_what_a_tool_refuses_another_still_takes() -> None:
    def refuse(source: Input) -> Any:
        raise AssetError("it is too new", file=source.name)

    first: Any = SimpleNamespace(run=refuse, versions={"first": "1"})
    second: Any = SimpleNamespace(
        run=lambda _: SimpleNamespace(data=b"", warnings=()), versions={"second": "1"}
    )
    assert Fallback(first, second).run(SCRIPT).warnings == (
        "first refused it (it is too new); minified by second",
    )
