"""A search for secrets in whatever a run leaves: files, texts, and the process list all along."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote


class SecretSearch:
    """A search for some secrets, however they are spelled.

    Attributes:
        spellings: What must be nowhere, each under a name that may be shown.
    """

    def __init__(self, secrets: Mapping[str, str], pieces: Mapping[str, str]) -> None:
        """Begin.

        Args:
            secrets: Each secret by its name.
            pieces: Of some of them a piece, which is left if only a part is taken out.
        """
        self.spellings: dict[str, bytes] = {}
        for name, value in secrets.items():
            data = value.encode()
            whole = {
                "plain": data,
                "in JSON": json.dumps(value)[1:-1].encode(),
                "in a URL": quote(value).encode(),
                "in Base64": base64.b64encode(data).rstrip(b"=")[:-1],
                "safe in Base64": base64.urlsafe_b64encode(data).rstrip(b"=")[:-1],
                "in hexadecimal": data.hex().encode(),
            }
            self.spellings.update({f"{name} {how}": text for how, text in whole.items()})
        for name, piece in pieces.items():
            assert piece in secrets[name]
            self.spellings[f"a piece of {name}"] = piece.encode()

    def found_in(self, data: bytes) -> list[str]:
        """Return what is found in some bytes."""
        return [name for name, text in self.spellings.items() if text in data]

    def found_below(self, folder: Path, *, but: Collection[Path] = ()) -> list[str]:
        """Return each file below a folder that holds a secret, with what it holds."""
        return [
            f"{path}: {name}"
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.is_symlink() and path not in but
            for name in self.found_in(path.read_bytes())
        ]

    @contextmanager
    def process_list_watched(self) -> Iterator[list[str]]:
        """Look at every process's command line all along; yield what was found, at the end."""
        over = threading.Event()
        found: list[str] = []

        def watch() -> None:
            while not over.is_set():
                for process in Path("/proc").glob("[0-9]*/cmdline"):
                    try:
                        seen = self.found_in(process.read_bytes())
                    except OSError:
                        continue
                    found.extend(seen)
                time.sleep(0.05)

        watching = threading.Thread(target=watch)
        watching.start()
        try:
            yield found
        finally:
            over.set()
            watching.join()
