"""A project under git, with a castoff.toml, and the bare repository that tools fetch from."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from common.hosts import Site

APP = "shop"


class Repository:
    """What is released.

    Args:
        folder: A folder that is there; the project and all else lie in it.
        bare: Name of the repository that hosts and tools fetch from.
    """

    # TOML of the app, before the environments.
    app_table = f"""
[apps.{APP}]
build = {{ exclude = ["castoff.toml", ".gitignore"] }}
"""

    def __init__(self, folder: Path, bare: str) -> None:
        self.folder = folder
        self.site = Site(folder / "site")
        self.git = folder / bare
        self._environments = 0
        self._git("init", "-q", "--bare", "-b", "main", str(self.git))

    def castoff(self, *words: str) -> str:
        """Run the command line; return what it prints.

        Raises:
            RuntimeError: It failed.
        """
        outcome = self.site.castoff(*words, timeout=600)
        if outcome.code:
            raise RuntimeError(f"castoff {' '.join(words)}: {outcome.err}")
        return outcome.out

    def environment(self, known_hosts: Path, hosts: str, steps: str) -> str:
        """Put an environment into castoff.toml and return its name; it has no history yet.

        `hosts` and `steps` are TOML in which `@` stands for that name.
        """
        self._environments += 1
        name = f"fleet{self._environments}"
        text = f"""{self.app_table}
[environments.@]
known_hosts = {json.dumps(str(known_hosts))}
keep = 2
{hosts}
{steps}
"""
        self.site.write({"castoff.toml": text.replace("environments.@", f"environments.{name}")})
        return name

    def _git(self, *words: str) -> None:
        identity = ("-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.org")
        self._run("git", *identity, *words)

    @staticmethod
    def _run(*argv: str) -> None:
        subprocess.run(argv, check=True, capture_output=True)
