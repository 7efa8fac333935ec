"""What is done on a host to make a commit a release: shell commands, the same for all tools."""

from __future__ import annotations

from dataclasses import dataclass

from release_work.ground import Ground
from release_work.repository import Repository

DATABASE = "/srv/shop.sqlite3"


@dataclass(frozen=True)
class Steps:
    """The commands of one version; hosts are alike, so they fit all.

    Attributes:
        code: Folder of the checkout; none: that of the release.
    """

    ground: Ground[Repository]
    version: str
    code: str = ""

    @property
    def app(self) -> str:
        """The app's folder."""
        return self.ground.app(self.ground.hosts[0])

    @property
    def release(self) -> str:
        """The folder of the version's code."""
        return self.code or f"{self.app}/releases/{self.version}"

    @property
    def environment(self) -> str:
        """The folder of the virtual environment, which all releases use."""
        return f"{self.app}/shared/venv"

    @property
    def make_environment(self) -> str:
        """Make it, the first time."""
        made = f"python3 -m venv {self.environment}"
        return f"[ -x {self.environment}/bin/python ] || {made}"

    @property
    def install(self) -> str:
        """Install the requirements."""
        return f"{self.environment}/bin/pip install -q -r {self.release}/requirements.txt"

    @property
    def collect(self) -> str:
        """Gather static files in the release."""
        return self.manage("collectstatic --noinput -v 0")

    @property
    def migrate(self) -> str:
        """Bring the database to what the code wants; for one host."""
        return f"DATABASE={DATABASE} {self.manage('migrate --noinput -v 0')}"

    @property
    def link(self) -> str:
        """Make the release current."""
        return (
            f"ln -sfn {self.release} {self.app}/current.new && "
            f"mv -T {self.app}/current.new {self.app}/current"
        )

    @property
    def prune(self) -> str:
        """Leave the current release alone of the old ones."""
        return self.ground.prune(self.ground.hosts[0])

    @property
    def reload(self) -> str:
        """Let the server take what is current."""
        return self.ground.reload(self.ground.hosts[0])

    @property
    def health(self) -> str:
        """Wait until the server says the version."""
        return self.ground.health(self.ground.hosts[0], self.version)

    def manage(self, words: str) -> str:
        """Return a command of Django's."""
        return f"{self.environment}/bin/python {self.release}/manage.py {words}"
