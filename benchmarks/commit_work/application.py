"""The Django application: a dozen apps, some hundred static files, and locked dependencies."""

from __future__ import annotations

import re
from pathlib import Path

from build_project import code
from build_project.generate import APPS
from release_work.repository import APP, Repository

from commit_work.changes import Change

_HERE = Path(__file__).parent
LOCK = (_HERE / "requirements.txt").read_text()


def _requirement(names: str) -> re.Pattern[str]:
    """Return what finds some packages, given as a pattern, in a lock, with their hashes."""
    return re.compile(rf"^(?:{names})==.*\n(?:    --hash=.*\n)+", re.MULTILINE)


_DJANGO = _requirement("django")
# Later releases of Django, each as the lock has it.
BUMPS = _DJANGO.findall((_HERE / "django.txt").read_text())
# On Linux, which hosts are.
PACKAGES = set(re.findall(r"^([a-z][a-z0-9-]*)==(?!.*win32)", LOCK, re.MULTILINE))
# What Django itself needs.
SMALL_LOCK = "".join(_requirement("django|asgiref|sqlparse|typing-extensions").findall(LOCK))
_SMALL_SETTINGS = """\
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "only for a benchmark"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.staticfiles", "shop"]
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "collected"
USE_TZ = True
"""

# The database of the application lies on the host that migrates, and outlives releases.
_SETTINGS = """
import os

STATICFILES_DIRS = [BASE_DIR / "frontend"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("DATABASE", ":memory:"),
    }
}
"""
_STYLE = """\
.{app}-{part} {{ display: grid; gap: 8px; color: #1f2933; border-radius: 6px; }}
.{app}-{part}__entry {{ padding: 0.5rem 0.75rem; border: 1px solid rgba(31, 41, 51, 0.2); }}
.{app}-{part}__entry a {{ color: inherit; text-decoration: underline; }}
"""
_SCRIPT = """\
document.querySelectorAll("[data-{app}-{part}]").forEach((root) => {{
  root.addEventListener("input", (event) => {{
    const found = fetch(`/{app}/?title=${{encodeURIComponent(event.target.value)}}`);
    found.then((answer) => answer.json()).then((body) => {{
      root.querySelector("ul").replaceChildren(...body.results.map((one) => one.title));
    }});
  }});
}});
"""
_PARTS = ("list", "detail", "form", "table")


class Application(Repository):
    """The repository of one fleet; hosts see a commit when it is published.

    Args:
        folder: A new one.
        small: Whether it is Django alone: only to see that all runs.
        assets: TOML of the app's assets for Castoff, such as `collectstatic = true`.
    """

    def __init__(self, folder: Path, *, small: bool, assets: str) -> None:
        folder.mkdir()
        super().__init__(folder, "shop.git")
        self.app_table = f"{self.app_table}\n[apps.{APP}.assets]\n{assets}"
        self._lock = SMALL_LOCK if small else LOCK
        files = code.project(APPS)
        if small:
            files["shop/settings.py"] = _SMALL_SETTINGS
        files["shop/settings.py"] += _SETTINGS
        for name in APPS:
            if not small:
                files |= {f"{name}/{path}": text for path, text in code.app(name).items()}
            for part in _PARTS:
                place = f"frontend/{name}/{part}"
                files[f"{place}.css"] = _STYLE.format(app=name, part=part)
                files[f"{place}.js"] = _SCRIPT.format(app=name, part=part)
        self.site.write({**files, ".gitignore": "artifacts/\ncollected/\n__pycache__/\n"})

    def publish(self, change: Change) -> None:
        """Commit a change, as a tag of its version, and push it to where hosts fetch from."""
        code = f'VERSION = "{change.version}"\n'
        self.site.write({"shop/version.py": code, "requirements.txt": self._lock_of(change)})
        self.site.commit(f"version {change.version}")
        tag = f"v{change.version}"
        self.site.git("tag", tag)
        self.site.git("push", "-q", str(self.git), "main", tag)

    def django(self, change: Change) -> str:
        """Return the version of Django that a change has."""
        return self._lock_of(change).partition("django==")[2].split()[0]

    def _lock_of(self, change: Change) -> str:
        if not change.bumps:
            return self._lock
        return _DJANGO.sub(BUMPS[change.bumps - 1], self._lock)
