"""Castoff: `castoff release` from a bucket, with patches and without."""

from __future__ import annotations

import json

from bytes_work.ground import Ground
from bytes_work.series import APP
from support import s3

_ENVIRONMENT = "live"


class Castoff:
    """Ourselves, from the working tree; each variant has a store and a folder of its own."""

    def __init__(self, name: str, key: str, *, patches: int | None) -> None:
        self.name = name
        self.folder = f"/srv/{key}"
        self._patches = "" if patches is None else f"patches = {patches}\n"
        self._bucket = ""

    def get(self) -> str:
        """Return nothing to install."""
        return "this revision"

    def publish(self, it: Ground, number: int) -> None:
        """Push, which makes patches if they are wanted."""
        self._settings(it)
        it.series.castoff("push", str(number))

    def fetch(self, it: Ground, number: int) -> int:
        """Release; the host gets archive and patches from the bucket, all else over SSH."""
        self._settings(it)
        words = ("--env", _ENVIRONMENT, "--json")
        it.series.castoff("release", str(number), *words)
        (entry,) = json.loads(it.series.castoff("history", "--limit", "1", *words))
        (host,) = entry["hosts"]
        return sum(host["fetched"].values())

    def tree(self, number: int) -> str:
        """Return what is served."""
        del number
        return f"{self.folder}/{APP}/current"

    def _settings(self, it: Ground) -> None:
        self._bucket = self._bucket or s3.make_bucket(it.endpoint)
        hosts = it.fleet.toml_hosts(_ENVIRONMENT).replace(
            f'root = "{it.host.root}/', f'root = "{self.folder}/'
        )
        it.series.write_settings(
            f'[store]\nurl = "s3://{self._bucket}"\nendpoint_url = "{it.endpoint}"\n'
            f"{self._patches}[environments.{_ENVIRONMENT}]\n"
            f"known_hosts = {json.dumps(str(it.fleet.known_hosts))}\nkeep = 2\n{hosts}"
        )
