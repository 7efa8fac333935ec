from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from castoff.builder import uv_start
from castoff.builder.environment import tool_environment
from castoff.builder.uv_start import introduce


def test_uv_knows_the_interpreter_before_it_installs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "UV_CACHE_DIR"}
    env = tool_environment(kept, work=tmp_path, time=0)
    introduce(Path(sys.executable), env=env, work=tmp_path)
    assert [path.name for path in Path(env["UV_CACHE_DIR"]).glob("interpreter-v*/*/*")]
    # Once is enough: a build after a changed line does not start uv for it.
    monkeypatch.setattr(uv_start, "run", None)
    introduce(Path(sys.executable), env=env, work=tmp_path)


def test_where_it_fails_the_installation_will_tell(tmp_path: Path) -> None:
    env = tool_environment({}, work=tmp_path, time=0)
    introduce(tmp_path / "none", env=env, work=tmp_path)
