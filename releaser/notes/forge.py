"""Pages of commits on GitHub and GitLab, from the URL that a repository was cloned from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

# gitrevisions' scp-like spelling, as in git@github.com:owner/project.git (git-clone(1), GIT URLS).
_SCP = re.compile(r"(?:[^@/\s]+@)?(?P<host>[^:/\s]+):(?P<path>[^/\s].*)")
_SCHEMES = ("https", "http", "ssh", "git", "git+ssh")


@dataclass(frozen=True, slots=True)
class Forge:
    """A repository's pages.

    Attributes:
        page: Its own page.
        between: What stands before the words of an inner page: `/-` on GitLab.
    """

    page: str
    between: str

    def commit(self, commit: str) -> str:
        """Return the page of a commit."""
        return f"{self.page}{self.between}/commit/{commit}"

    def compare(self, before: str, after: str) -> str:
        """Return the page of what lies between two commits."""
        return f"{self.page}{self.between}/compare/{before}...{after}"


def forge_of(url: str) -> Forge | None:
    """Return the pages of the repository at a URL of git; None where they are not known.

    A GitHub or GitLab of one's own is known by its host's name, which has one of the two words in
    it. Users, passwords and ports of the URL are left out.
    """
    host, path = _parts(url)
    names = host.lower().split(".")
    project = path.strip("/").removesuffix(".git")
    if not host or project.count("/") < 1 or any(part in ("", "..") for part in project.split("/")):
        return None
    page = f"https://{host.lower()}/{quote(project)}"
    if "github" in names:
        return Forge(page, "")
    if "gitlab" in names:
        return Forge(page, "/-")
    return None


def _parts(url: str) -> tuple[str, str]:
    """Return the host and the path; nothing for a folder of this machine."""
    if "://" not in url:
        match = _SCP.fullmatch(url)
        return ("", "") if match is None else (match["host"], match["path"])
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "", ""
    return (host, parts.path) if parts.scheme in _SCHEMES else ("", "")
