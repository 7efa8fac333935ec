"""Castoff and its peers, each as one command that turns the project into one file."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from common.tools import Unavailable, python_tool

# The peers at a version each, so that a figure can be had again.
PIP, SHIV, PEX = "pip==26.3", "shiv==1.0.8", "pex==2.105.2"

_PIP_TAR = """
set -e
rm -rf build && mkdir build
"$PYTHON" -m pip install --quiet --target build/lib --requirement requirements.txt
git archive --prefix=app/ HEAD | tar -xf - -C build
"$PYTHON" -m compileall -q build/app
tar -czf "$OUTPUT" -C build .
"""
_SHIV = """
set -e
rm -rf build && mkdir build
git archive HEAD | tar -xf - -C build
{tool}/shiv --quiet --site-packages build --requirement requirements.txt \\
    --entry-point shop.__main__ --output-file "$OUTPUT" {options}
"""
_PEX = """
set -e
rm -rf build && mkdir build
git archive HEAD | tar -xf - -C build
{tool}/pex --requirement requirements.txt --sources-directory build \\
    --entry-point shop --output-file "$OUTPUT" {options}
"""


@dataclass(frozen=True)
class Contender:
    """One way to build.

    Attributes:
        name: For tables.
        script: Run by sh in the project's folder; writes the file `$OUTPUT`, or into `artifacts/`.
        ours: Whether it is Castoff.
        with_assets: Whether it builds assets, and not only carries their sources.
    """

    name: str
    script: str
    ours: bool = False
    with_assets: bool = False

    def environment(self, state: Path, wheels: Path) -> dict[str, str]:
        """Return its environment: all it keeps between builds lies in `state`, with uv's settings.

        Args:
            state: A folder of its own.
            wheels: The folder that all dependencies come from; no index is asked.
        """
        # uv has no variable that keeps it from asking an index.
        settings = state / "uv.toml"
        settings.write_text(f'no-index = true\nfind-links = ["{wheels}"]\n', encoding="utf-8")
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        return {
            **kept,
            "HOME": str(state / "home"),
            "TMPDIR": str(state / "tmp"),
            "XDG_CACHE_HOME": str(state / "cache"),
            "PIP_CACHE_DIR": str(state / "cache" / "pip"),
            "PEX_ROOT": str(state / "cache" / "pex"),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(wheels),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_CONFIG_FILE": str(settings),
            "PYTHON": sys.executable,
            "OUTPUT": str(state / "output"),
        }


def contenders() -> tuple[list[Contender], list[str]]:
    """Return who takes part, Castoff first, and why others cannot."""
    castoff = f"rm -rf artifacts && {Path(sys.executable).with_name('castoff')} build"
    found = [
        Contender("castoff", castoff, ours=True),
        Contender("castoff with assets", castoff, ours=True, with_assets=True),
    ]
    missing = []
    for name, tool, script, options in (
        ("pip + tar", PIP, _PIP_TAR, ""),
        ("shiv", SHIV, _SHIV, ""),
        ("shiv --compile-pyc", SHIV, _SHIV, "--compile-pyc"),
        ("pex", PEX, _PEX, '--no-pypi --find-links "$PIP_FIND_LINKS"'),
        ("pex --compile", PEX, _PEX, '--no-pypi --find-links "$PIP_FIND_LINKS" --compile'),
    ):
        try:
            folder = python_tool(tool, *([PIP] if tool != PIP else []))
        except Unavailable as error:
            missing.append(f"{name}: {error}")
            continue
        text = script.replace("{tool}", str(folder)).replace("{options}", options)
        found.append(Contender(name, text.replace("$PYTHON", str(folder / "python"))))
    return found, missing


def fetch_wheels(lock: Path, folder: Path) -> None:
    """Fetch all that a lock names for this Python into a new folder.

    Raises:
        Unavailable: Something cannot be had.
    """
    folder.mkdir()
    argv = [str(python_tool(PIP) / "python"), "-m", "pip", "download", "--quiet", "--no-deps"]
    argv += ["--only-binary", ":all:", "--require-hashes", "--requirement", str(lock)]
    run = subprocess.run(
        [*argv, "--dest", str(folder)], check=False, capture_output=True, text=True
    )
    if run.returncode:
        raise Unavailable(f"pip download failed: {run.stderr.strip()[-500:]}")


def commit(project: Path) -> None:
    """Commit all that is in a project, which becomes a repository if it is none."""
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "a change")):
        identity = ("-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.org")
        subprocess.run(["git", *identity, *words], cwd=project, check=True)
