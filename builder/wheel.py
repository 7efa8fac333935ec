"""Build a project's own wheel by its own back end (PEP 517), in an environment of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

from castoff.builder.destination import Destination
from castoff.builder.environment import back_end_environment
from castoff.builder.errors import BuildError
from castoff.builder.forked import Forked
from castoff.builder.installer import Installer
from castoff.builder.interpreter import Interpreter
from castoff.builder.process import run
from castoff.builder.removal import Removal


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where wheels are built.

    Attributes:
        folder: The build's own folder.
        destination: What is built for.
        installer: What back ends get what they ask for by.
        env: The tools' environment.
        removal: Takes what is no longer wanted.
        forked: Runs what can be done beside.
    """

    folder: Path
    destination: Destination
    installer: Installer
    env: Mapping[str, str]
    removal: Removal
    forked: Forked

    @property
    def interpreter(self) -> Interpreter:
        """What back ends and tools run on."""
        return self.destination.runner


def build_wheel(project: Path, workshop: Workshop, *, version: str, commit: str) -> Path:
    """Build the wheel of one project; return its path.

    Args:
        project: Its folder in the export.
        workshop: Where and with what.
        version: The release's version; told to back ends that would ask git for theirs, which
            they cannot in an export.
        commit: The commit's full id, told to them where `version` is not one of PEP 440.

    Raises:
        BuildError: pyproject.toml is wrong, a build requirement cannot be had, or the back end
            fails; the message holds its last lines.
    """
    from build import BuildBackendException, BuildException, ProjectBuilder

    number = len(list(workshop.folder.glob("wheel-*")))
    out = workshop.folder / f"wheel-{number}"
    out.mkdir()
    python = workshop.installer.make_environment(out / "env")
    env = {
        **back_end_environment(workshop.env),
        "SETUPTOOLS_SCM_PRETEND_VERSION": _python_version(version, commit),
    }

    def runner(
        cmd: Sequence[str], cwd: str | None = None, extra_environ: Mapping[str, str] | None = None
    ) -> None:
        run(
            cmd,
            cwd=Path(cwd or project),
            env={**env, "PATH": f"{python.parent}:{env.get('PATH', '')}", **(extra_environ or {})},
            task=f"build the wheel of {project.name}",
        )

    try:
        builder = ProjectBuilder(project, str(python), runner)
        _install(builder.build_system_requires, python, workshop, project)
        _install(builder.get_requires_for_build("wheel"), python, workshop, project)
        return Path(builder.build("wheel", str(out)))
    except BuildBackendException as error:
        # `run` has already said it better, if it was what failed.
        if isinstance(error.exception, BuildError):
            raise error.exception from error
        raise BuildError(f"could not build the wheel of {project.name}: {error}") from error
    except BuildException as error:
        raise BuildError(f"could not build the wheel of {project.name}: {error}") from error


def _install(requires: AbstractSet[str], python: Path, workshop: Workshop, project: Path) -> None:
    if requires:
        workshop.installer.require(sorted(requires), python, folder=project)


def _python_version(version: str, commit: str) -> str:
    try:
        return str(Version(version))
    except InvalidVersion:
        return f"0+g{commit[:10]}"
