"""A real Django application of about 60 MB, and its versions, each one line apart.

Castoff builds every version once. All tools bring the same finished trees to hosts: Castoff from
its store, the others from what they want: folders, archives, or a git repository.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from release_work.repository import APP, Repository

_HERE = Path(__file__).parent
_SETTINGS = """from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "only for a benchmark"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.staticfiles",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "shop",
]
MIDDLEWARE = ["whitenoise.middleware.WhiteNoiseMiddleware"]
STATIC_URL = "static/"
USE_TZ = True
"""
_FILES = {
    "manage.py": """import os
import sys

from django.core.management import execute_from_command_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
execute_from_command_line(sys.argv)
""",
    "shop/__init__.py": "",
    "shop/settings.py": _SETTINGS,
    "shop/urls.py": """from django.urls import path

from shop.views import page

urlpatterns = [path("", page)]
""",
    "shop/views.py": """from django.http import HttpRequest, HttpResponse

from shop.version import VERSION


def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse(f"version {VERSION}.\\n")
""",
}


class Project(Repository):
    """A repository, its store, and every version's tree."""

    def __init__(self, folder: Path, *, small: bool = False) -> None:
        super().__init__(folder, "trees.git")
        self._work = folder / "work"
        self._last = ""
        lock = "" if small else (_HERE / "requirements.txt").read_text()
        self.site.write({**_FILES, "castoff.toml": f"[apps.{APP}]\n", ".gitignore": "artifacts/\n"})
        if lock:
            self.site.write({"requirements.txt": lock})
        self._git("init", "-q", "-b", "main", str(self._work))

    def add(self, version: str) -> None:
        """Build and push a version whose code differs in one line from the last one's."""
        self.site.write({"shop/version.py": f'VERSION = "{version}"\n'})
        self.site.commit(f"version {version}")
        self.castoff("build", "--version", version)
        self.castoff("push", version)
        tree = self.tree(version)
        tree.mkdir(parents=True)
        # Times in archives are all the same, and rsync would find nothing changed.
        self._run("tar", "-xzmf", str(self.archive(version)), "-C", str(tree))
        if self._last:
            _keep_times(self.tree(self._last), tree)
        self._last = version
        self._commit(version)

    def archive(self, version: str) -> Path:
        """Return a version's archive: its tree as `.tar.gz`."""
        return self.site.folder / "artifacts" / f"{APP}-{version}.tar.gz"

    def table_size(self, version: str) -> int:
        """Return the bytes of a version's file table, as it is stored."""
        return (self.site.folder / "artifacts" / f"{APP}-{version}.files.json.gz").stat().st_size

    def tree(self, version: str) -> Path:
        """Return the folder that holds a version's tree."""
        return self.folder / "trees" / version

    def tree_size(self, version: str) -> tuple[int, int]:
        """Return the bytes and the number of a version's files."""
        files = [path for path in self.tree(version).rglob("*") if path.is_file()]
        return sum(path.stat().st_size for path in files), len(files)

    def _commit(self, version: str) -> None:
        """Put the tree into the git repository that tools fetch from, as a commit and a tag."""
        for path in self._work.iterdir():
            if path.name != ".git":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(self.tree(version), self._work, symlinks=True, dirs_exist_ok=True)
        work = ("-C", str(self._work))
        self._git(*work, "add", "-A", "-f")
        self._git(*work, "commit", "-q", "-m", f"version {version}")
        self._git(*work, "tag", f"v{version}")
        self._git(*work, "push", "-q", str(self.git), "main", "--tags")


def _keep_times(old: Path, new: Path) -> None:
    """Give files that have not changed the times that they had, and the others a later second.

    So it is in a folder that people build in again and again, and rsync relies on it: it looks at
    sizes and whole seconds, and here two versions may be built within one.
    """
    for path in new.rglob("*"):
        before = old / path.relative_to(new)
        if path.is_symlink() or not path.is_file() or not before.is_file():
            continue
        if path.read_bytes() == before.read_bytes():
            shutil.copystat(before, path)
        else:
            later = max(path.stat().st_mtime, before.stat().st_mtime + 1)
            os.utime(path, (later, later))
