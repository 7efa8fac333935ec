"""Which files were looked at for secrets before, and found to hold none.

The word of an earlier build counts for the same content under the same path, and for as long as the
rules are the same. Only what held nothing is kept: what was found is found again by each build.
"""

from __future__ import annotations

from collections.abc import Collection

from castoff.builder.cache import Cache, key_of, own_code
from castoff.builder.versions import version

_STAGE = "secrets"
# What looks.
_RULES = ("credentials.py", "secret_content.py", "secret_names.py", "secrets.py")


class Harmless:
    """The harmless files of one app."""

    def __init__(self, cache: Cache, app: str) -> None:
        """Read what earlier builds found.

        Args:
            cache: Where it is kept.
            app: The app's name: each has an entry of its own, which its last build wrote.
        """
        self._cache = cache
        self._key = key_of(
            {
                "rules": own_code(*_RULES),
                "detect-secrets": version("detect-secrets"),
                "app": app,
            }
        )
        kept = cache.read(_STAGE, self._key) or b""
        self._known = frozenset(kept.decode().split("\n"))

    def has(self, path: str, sha256: str, *, third_party: bool) -> bool:
        """Say whether a file was found to be harmless.

        Args:
            path: From the tree's top.
            sha256: Its digest.
            third_party: Whether it is looked at as a package of others.
        """
        return _line(path, sha256, third_party=third_party) in self._known

    def keep(self, files: Collection[tuple[str, str, bool]]) -> None:
        """Keep what this build found, in place of what was known.

        Args:
            files: Path, digest, and whether it is third-party, of each that is harmless.
        """
        # A name that is no UTF-8 is refused later, and one with a newline too.
        lines = [
            _line(path, sha256, third_party=third_party)
            for path, sha256, third_party in files
            if path.isprintable()
        ]
        if not self._known.issuperset(lines):
            self._cache.write(_STAGE, self._key, "\n".join(lines).encode())


def _line(path: str, sha256: str, *, third_party: bool) -> str:
    return f"{sha256} {'t' if third_party else 'o'} {path}"
