"""pip as installer, where uv cannot be used: slower, and to the same tree."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from castoff.builder.destination import Destination, Platform
from castoff.builder.errors import BuildError
from castoff.builder.installer import IndexFile
from castoff.builder.installer_errors import explain
from castoff.builder.interpreter import Interpreter
from castoff.builder.lock import Lock
from castoff.builder.no_wheel import Missing, NoWheel, find_all, missing
from castoff.builder.pip_log import skipped
from castoff.builder.process import run
from castoff.builder.pylock import requirements_of, wheels_of
from castoff.builder.requirements import applying, without
from castoff.builder.source_builds import source_build_environment

# uv's names of what pip has names of its own for.
_FROM_UV = {
    "PIP_INDEX_URL": ("UV_DEFAULT_INDEX", "UV_INDEX_URL"),
    "PIP_EXTRA_INDEX_URL": ("UV_EXTRA_INDEX_URL",),
    "PIP_FIND_LINKS": ("UV_FIND_LINKS",),
    "PIP_NO_INDEX": ("UV_NO_INDEX",),
}


class PipInstaller:
    """The pip of the interpreter that the build runs on; `Installer` says what the methods do."""

    name: Literal["pip"] = "pip"

    def __init__(self, destination: Destination, env: Mapping[str, str], work: Path) -> None:
        """Take note of it all; pip is looked for when it is first needed."""
        self._destination = destination
        self._env = _pip_environment(env)
        self._work = work

    @property
    def version(self) -> str:
        """Ask pip for its version.

        Raises:
            BuildError: The interpreter has no `venv` or no `ensurepip`.
        """
        return self._run("--version", cwd=self._work, task="run pip").decode().split()[1]

    @cached_property
    def _pip(self) -> Path:
        """The interpreter whose pip is run: the runner, or an environment of it with a pip."""
        python = self._destination.runner.path
        try:
            run([python, "-m", "pip", "--version"], cwd=self._work, env=self._env, task="run pip")
        except BuildError:
            return self.make_environment(self._work / "pip-environment")
        return python

    def fetch(self, lock: Lock, house: Path, *, folder: Path, linked: bool) -> None:  # noqa: ARG002
        """Fill the house with wheels; for a declared platform pip only downloads."""
        house.mkdir()
        file = house / "requirements.txt"
        # pip would evaluate markers for the interpreter that runs it.
        file.write_text(_text(lock, self._destination.interpreter), encoding="utf-8")
        platform = self._destination.platform
        words: list[str | Path] = ["wheel", "--wheel-dir", house]
        if platform is not None:
            words = ["download", "--dest", house, "--log", self._log, *self._tags()]
        words += ["--require-hashes", "--requirement", file]
        # What is for another platform cannot be resolved by pip: markers again.
        if lock.complete or platform is not None:
            words.append("--no-deps")
        try:
            self._fetch(words, lock, folder)
        except NoWheel as error:
            if platform is None:
                raise
            if lock.pylock:
                raise self._by_its_lock(error, lock, platform) from error
            text = file.read_text(encoding="utf-8")

            def attempt(known: Collection[str]) -> list[Missing]:
                file.write_text(without(text, known), encoding="utf-8")
                with suppress(BuildError):
                    self._fetch(words, lock, folder)
                return []

            found = find_all(attempt, error.found)
            raise NoWheel(self._with_files(found, platform), lock.source, platform) from error

    def _by_its_lock(self, error: NoWheel, lock: Lock, platform: Platform) -> NoWheel:
        """Return the packages that have no wheel by the names in the lock: pip names the first."""
        text = lock.file.read_text(encoding="utf-8")
        markers = self._destination.interpreter.markers
        found = missing(wheels_of(text, name=lock.source, markers=markers), platform)
        return NoWheel(found or error.found, lock.source, platform)

    def _with_files(self, found: Sequence[Missing], platform: Platform) -> list[Missing]:
        """Return packages with the files that pip has seen of them, and which did not fit."""
        try:
            log = self._log.read_text("utf-8", errors="replace")
        except OSError:
            return list(found)
        return [
            next(iter(missing({one.package: files}, platform)), one)
            if (files := skipped(log, one.package))
            else one
            for one in found
        ]

    @property
    def _log(self) -> Path:
        return self._work / "pip.log"

    def _fetch(self, words: Sequence[str | Path], lock: Lock, folder: Path) -> None:
        env = source_build_environment(self._env)
        try:
            self._run(*words, cwd=folder, task=f"fetch what {lock.source} locks", env=env)
        except BuildError as error:
            raise explain(error, lock.source, self._destination) from error

    def install(
        self,
        lock: Lock,
        house: Path,
        lib: Path,
        *,
        folder: Path,  # noqa: ARG002
        linked: bool,  # noqa: ARG002
    ) -> None:
        """Install the house's wheels, one after the other as they are named."""
        wheels = sorted(house.glob("*.whl"))
        if wheels:
            self._install(wheels, lib, task=f"install what {lock.source} locks")

    def files(self, lock: Lock, *, work: Path, folder: Path) -> Mapping[str, Sequence[IndexFile]]:
        """Let pip say what it would install; what it has fetched it has kept.

        Format: https://pip.pypa.io/en/stable/reference/installation-report/
        """
        file, report = work / "locked.txt", work / "report.json"
        file.write_text(_text(lock, self._destination.interpreter), encoding="utf-8")
        words: list[str | Path] = ["install", "--dry-run", "--quiet", "--ignore-installed"]
        # Wheels for elsewhere pip looks at only with a target.
        words += ["--no-deps", "--target", work / "nowhere", *self._tags()]
        words += ["--report", report, "--require-hashes", "--requirement", file]
        env = source_build_environment(self._env)
        self._run(*words, cwd=folder, task=f"see which files {lock.source} locks", env=env)
        found: dict[str, list[IndexFile]] = {}
        for item in json.loads(report.read_bytes())["install"]:
            info = item["download_info"]
            hashes = info.get("archive_info", {}).get("hashes", {})
            digests = frozenset(f"{kind}:{digest}" for kind, digest in hashes.items())
            name = PurePosixPath(unquote(urlsplit(info["url"]).path)).name
            found[canonicalize_name(item["metadata"]["name"])] = [IndexFile(name, digests)]
        return found

    def install_wheel(self, wheel: Path, lib: Path) -> None:
        """Install one wheel."""
        self._install([wheel], lib, task=f"install {wheel.name}")

    def make_environment(self, place: Path) -> Path:
        """Make a virtual environment, with the pip that comes with the interpreter."""
        argv: list[str | Path] = [self._destination.runner.path, "-m", "venv", place]
        hint = "Where a system packages them apart, install them: apt install python3-venv"
        task = "make an environment with pip (the interpreter's modules venv and ensurepip)"
        run(argv, cwd=place.parent, env=self._env, task=task, hint=hint)
        return place / "bin" / "python"

    def require(self, requires: Sequence[str], python: Path, *, folder: Path) -> None:
        """Install with the environment's own pip."""
        argv: list[str | Path] = [python, "-m", "pip", "install", "--quiet", "--", *requires]
        task = "install what the build back end needs"
        try:
            run(argv, cwd=folder, env=self._env, task=task)
        except BuildError as error:
            raise explain(error, "pyproject.toml", None) from error

    def _install(self, wheels: Sequence[Path], lib: Path, *, task: str) -> None:
        # What is in a target already, pip would either skip or replace folder by folder.
        incoming = self._work / "incoming"
        words: list[str | Path] = ["--no-index", "--no-deps", "--no-compile", "--target", incoming]
        words += [*self._tags(), *wheels]
        try:
            self._run("install", "--quiet", *words, cwd=lib.parent, task=task)
            shutil.copytree(incoming, lib, symlinks=True, dirs_exist_ok=True)
        finally:
            shutil.rmtree(incoming, ignore_errors=True)

    def _tags(self) -> list[str | Path]:
        """Return what says which wheels will do."""
        platform = self._destination.platform
        if platform is None:
            return []
        words: list[str | Path] = ["--only-binary", ":all:", "--implementation", "cp"]
        words += ["--python-version", platform.python]
        for abi in platform.abis:
            words += ["--abi", abi]
        for tag in platform.tags:
            words += ["--platform", tag]
        return words

    def _run(
        self, *words: str | Path, cwd: Path, task: str, env: Mapping[str, str] | None = None
    ) -> bytes:
        argv: list[str | Path] = [self._pip, "-m", "pip", *words]
        return run(argv, cwd=cwd, env=env or self._env, task=task)


def _text(lock: Lock, interpreter: Interpreter) -> str:
    if lock.pylock:
        return requirements_of(lock.file, name=lock.source, markers=interpreter.markers)
    text = lock.file.read_text(encoding="utf-8")
    return applying(text, interpreter.markers, name=lock.source)


def _pip_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the tools' environment with what tells uv of indexes told to pip too."""
    told = dict(env)
    for ours, theirs in _FROM_UV.items():
        value = next((env[name] for name in theirs if env.get(name)), None)
        if value is not None:
            told.setdefault(ours, value)
    return {**told, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
