"""Wheels of an index that tests serve themselves, and builds that install them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from castoff.builder.build import BuildResult, build
from castoff.builder.request import BuildRequest
from castoff.config.model import App, Build
from support.builds import Repository
from support.local_index import Index, wheel

TOOL = wheel(
    "tool",
    "1.0",
    {
        "tool/__init__.py": "def main():\n    print('tool')\n",
        "tool-1.0.data/scripts/plain.py": "#!python\nprint('plain')\n",
        "tool-1.0.data/data/share/tool/data.txt": "data\n",
    },
    requires=("space-one>=1",),
    entry_points="[console_scripts]\ntool = tool:main\n",
)


# Two distributions in one namespace package.
ONE = wheel("space_one", "1.0", {"space/one.py": "ONE = 1\n"})


TWO = wheel("space_two", "1.0", {"space/two.py": "TWO = 2\n"})


ARM = wheel("fast", "2.0", {"fast.py": ""}, tag="cp312-cp312-manylinux_2_28_aarch64")


MUSL = wheel("fast", "2.0", {"fast.py": "M = 1\n"}, tag="cp312-cp312-musllinux_1_2_x86_64")


WHEELS = tuple(name for name, _ in (TOOL, ONE, TWO))


def make(
    repository: Repository,
    index: Index,
    output: Path,
    *,
    home: str = "home",
    cache: Path | None = None,
    said: list[str] | None = None,
    **recipe: Any,
) -> BuildResult:
    folder = output.parent / home
    folder.mkdir(exist_ok=True)
    heard = [] if said is None else said
    return build(
        BuildRequest(
            repository=repository.folder,
            app="demo",
            recipe=App(build=Build(**recipe)),
            output=output,
            version="1.0",
            environment={**index.environment(folder), "BUILD_LOG": "1"},
            cache=cache,
        ),
        progress=lambda stage, detail: heard.append(f"{stage}: {detail}"),
    )
