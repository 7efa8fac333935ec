"""uv as installer: its cache is the house, where files lie unpacked under their digests."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from castoff.builder.destination import Destination
from castoff.builder.errors import BuildError
from castoff.builder.installer import IndexFile
from castoff.builder.installer_errors import explain
from castoff.builder.interpreter import uv
from castoff.builder.lock import Lock
from castoff.builder.no_wheel import Missing, NoWheel, find_all, missing
from castoff.builder.process import run
from castoff.builder.pylock import files_of, wheels_of
from castoff.builder.requirements import applying, without
from castoff.builder.source_builds import source_build_environment
from castoff.store.errors import CastoffError


@dataclass(frozen=True, slots=True)
class UvInstaller:
    """uv, as it was installed with Castoff; `Installer` says what the methods do."""

    destination: Destination
    env: Mapping[str, str]
    version: str
    name: Literal["uv"] = "uv"

    def fetch(self, lock: Lock, house: Path, *, folder: Path, linked: bool) -> None:
        """Install everything once, as links into uv's cache: uv has no command that only fetches.

        A `uv.lock` or `pylock.toml` is taken to the letter. A requirements file may lack what its
        entries depend on, so uv resolves it too, and refuses anything that has no digest there.
        """
        argv = self._install(house, "hardlink" if linked else "symlink", lock)
        if lock.complete:
            argv.append("--no-deps")
        fetched = False
        try:
            run(
                argv,
                cwd=folder,
                env=source_build_environment(self.env),
                task=f"fetch what {lock.source} locks",
            )
            fetched = True
        except BuildError as error:
            raise self._explained(error, lock, house.parent, folder) from error
        finally:
            if not (fetched and linked):
                shutil.rmtree(house, ignore_errors=True)

    def install(self, lock: Lock, house: Path, lib: Path, *, folder: Path, linked: bool) -> None:
        """Install from uv's cache, which keeps files apart by index.

        Where links will do, `fetch` has made them: ten thousand of them once, and not twice.
        """
        if linked:
            if house.is_dir():
                house.rename(lib)
            return
        argv: list[str | Path] = self._install(lib, "copy", lock)
        argv += ["--no-deps", "--offline"]
        run(argv, cwd=folder, env=self.env, task=f"install what {lock.source} locks")

    def files(
        self,
        lock: Lock,
        *,
        work: Path,  # noqa: ARG002
        folder: Path,
    ) -> Mapping[str, Sequence[IndexFile]]:
        """Let uv lock what is locked once more, in a form that names files.

        What it has fetched it knows without a connection.
        """
        if lock.pylock:
            return files_of(lock.file.read_text(encoding="utf-8"), name=lock.source)
        argv = [*self._compile(), *self._destination(), lock.file]
        env = source_build_environment(self.env)
        task = f"see which files {lock.source} locks"
        try:
            said = run([*argv, "--offline"], cwd=folder, env=env, task=task)
        except BuildError:
            said = run(argv, cwd=folder, env=env, task=task)
        return files_of(said.decode(), name=lock.source)

    def install_wheel(self, wheel: Path, lib: Path) -> None:
        """Install without a cache, for uv would keep a copy of every build for ever."""
        argv = [*self._target(lib, "copy"), "--no-deps", "--no-index", "--no-cache", wheel]
        run(argv, cwd=wheel.parent, env=self.env, task=f"install {wheel.name}")

    def make_environment(self, place: Path) -> Path:
        """Make a virtual environment without pip."""
        python = self.destination.runner.path
        argv: list[str | Path] = [uv(), "venv", "--quiet", "--no-project", "--python", python]
        task = "make an environment to build in"
        run([*argv, place], cwd=place.parent, env=self.env, task=task)
        return place / "bin" / "python"

    def require(self, requires: Sequence[str], python: Path, *, folder: Path) -> None:
        """Install by the settings of the project that is built."""
        argv: list[str | Path] = [uv(), "pip", "install", "--quiet", "--python", python, "--"]
        task = "install what the build back end needs"
        try:
            run([*argv, *requires], cwd=folder, env=self.env, task=task)
        except BuildError as error:
            raise explain(error, "pyproject.toml", None) from error

    def _explained(self, error: BuildError, lock: Lock, work: Path, folder: Path) -> CastoffError:
        """Return what is wrong; of the packages that have no wheel uv names the first alone."""
        platform, reason = self.destination.platform, explain(error, lock.source, self.destination)
        if platform is None or not isinstance(reason, NoWheel):
            return reason
        markers = self.destination.interpreter.markers
        text = lock.file.read_text(encoding="utf-8")

        def attempt(known: Collection[str]) -> list[Missing]:
            said = text if lock.pylock else self._list(without(text, known), lock, work, folder)
            return missing(wheels_of(said, name=lock.source, markers=markers), platform)

        # Of what a lock has under PEP 751 uv names no version: what was listed counts.
        found = {one.name: one for one in (*reason.found, *find_all(attempt))}
        return NoWheel([found[name] for name in sorted(found)], lock.source, platform)

    def _list(self, text: str, lock: Lock, work: Path, folder: Path) -> str:
        """Return all wheels of what a requirements file pins, for whatever machine."""
        file = work / "others.txt"
        # What applies is known, and its markers could not be read for another machine.
        applied = applying(text, self.destination.interpreter.markers, name=lock.source)
        file.write_text(applied, encoding="utf-8")
        argv = [*self._compile(), "--universal", "--only-binary", ":all:"]
        argv += ["--python", self.destination.runner.path]
        argv += ["--python-version", self.destination.interpreter.version]
        try:
            return run([*argv, file], cwd=folder, env=self.env, task="list wheels").decode()
        except BuildError as error:
            reason = explain(error, lock.source, self.destination)
            if isinstance(reason, NoWheel):
                raise reason from error
            return ""

    def _compile(self) -> list[str | Path]:
        return [
            uv(), "pip", "compile", "--quiet", "--no-deps", "--no-header", "--no-annotate",
            "--format", "pylock.toml",
        ]  # fmt: skip

    def _install(self, target: Path, link: str, lock: Lock) -> list[str | Path]:
        return [*self._target(target, link), "--require-hashes", "--requirement", lock.file]

    def _target(self, target: Path, link: str) -> list[str | Path]:
        return [
            uv(), "pip", "install", "--quiet", "--target", target,
            "--no-compile-bytecode", "--link-mode", link, *self._destination(),
        ]  # fmt: skip

    def _destination(self) -> list[str | Path]:
        """Return what says for what is installed."""
        argv: list[str | Path] = ["--python", self.destination.runner.path]
        platform = self.destination.platform
        if platform is not None:
            argv += ["--python-version", platform.python, "--python-platform", platform.name]
            argv += ["--only-binary", ":all:"]
        return argv
