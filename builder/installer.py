"""What fetches and installs: uv, or pip where uv cannot be used; to a build they are the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from castoff.builder.destination import Destination
from castoff.builder.errors import BuildError
from castoff.builder.lock import Lock
from castoff.builder.stages import Progress

Name = Literal["uv", "pip"]


@dataclass(frozen=True, slots=True)
class IndexFile:
    """A file of a distribution.

    Attributes:
        name: Its name: of a wheel, or of sources.
        digests: `sha256:…` and the like.
    """

    name: str
    digests: frozenset[str]


class Installer(Protocol):
    """Brings distributions from an index into a folder, in two steps."""

    @property
    def name(self) -> Name:
        """What it is called."""

    @property
    def version(self) -> str:
        """Its version."""

    def fetch(self, lock: Lock, house: Path, *, folder: Path, linked: bool) -> None:
        """Bring here all that a lock names, each file checked against its digest.

        What has no wheel is built.

        Args:
            lock: What `normalise` returned.
            house: A folder of the build's own for it; missing.
            folder: The app's folder, whose settings say which indexes to ask.
            linked: Whether what is installed may be hard links into the installer's cache: where
                no code of the project's, which could write into them, will run beside them.

        Raises:
            BuildError: A digest differs, a file cannot be had or built, or is not locked.
        """

    def install(self, lock: Lock, house: Path, lib: Path, *, folder: Path, linked: bool) -> None:
        """Install what `fetch` brought into the same `house`, without any connection.

        Args:
            lock: What `fetch` was given.
            house: The same.
            lib: Where to.
            folder: What `fetch` was given: what was fetched is found by the same settings.
            linked: What `fetch` was given.

        Raises:
            BuildError: It fails.
        """

    def files(self, lock: Lock, *, work: Path, folder: Path) -> Mapping[str, Sequence[IndexFile]]:
        """Return which files a distribution may come in here, by its normalised name.

        Args:
            lock: What `fetch` was given.
            work: The build's own folder.
            folder: What `fetch` was given.

        Raises:
            BuildError: That cannot be found out.
        """

    def install_wheel(self, wheel: Path, lib: Path) -> None:
        """Install a wheel that was built here, without anything that it depends on.

        Raises:
            BuildError: It fails.
        """

    def make_environment(self, place: Path) -> Path:
        """Make an environment for a build back end; return its interpreter.

        Raises:
            BuildError: It fails.
        """

    def require(self, requires: Sequence[str], python: Path, *, folder: Path) -> None:
        """Install what a back end asks for into its environment.

        Raises:
            BuildError: It cannot be had.
        """


def choose_installer(
    wanted: Name,
    destination: Destination,
    *,
    uv_says: Callable[[], str],
    work: Path,
    env: Mapping[str, str],
    progress: Progress,
) -> Installer:
    """Return the installer that castoff.toml names, or pip where uv does not run.

    Args:
        wanted: The one that is named.
        destination: What is installed for.
        uv_says: Returns, or raises, what `uv_version` does.
        work: The build's own folder.
        env: The tools' environment.
        progress: Told when pip takes over.

    Raises:
        BuildError: pip was named, or has to take over, and does not run either.
    """
    if wanted == "uv":
        from castoff.builder.installer_uv import UvInstaller

        try:
            return UvInstaller(destination, env, uv_says())
        except BuildError as error:
            progress("fetch", f"by pip: {error.message.splitlines()[0]}")
    from castoff.builder.installer_pip import PipInstaller

    return PipInstaller(destination, env, work)
