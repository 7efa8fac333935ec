"""A stand-in for the application's server, which reloads in no time.

Run on a host as `python3 server.py APP PORT`. It says the version that stood in the code of
`APP/current` when it started or was last told to reload (SIGHUP). Starting Django itself would cost
every tool the same second of processor time a host, and hide what tells them apart.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from pathlib import Path


class Server:
    """The version of the code."""

    def __init__(self, app: Path) -> None:
        # Castoff has an app's code in a folder of the release, checkouts at their top.
        self._code = [app / "current" / name for name in ("app/shop", "shop")]
        self.reload()

    def reload(self) -> None:
        """Take the code that is current."""
        self._version = "none"
        for folder in self._code:
            with suppress(FileNotFoundError):
                self._version = (folder / "version.py").read_text().split('"')[1]
                return

    async def serve(self, port: int) -> None:
        """Answer for ever."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.reload)
        server = await asyncio.start_server(self._talk, "", port)
        await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                body = f"version {self._version}.\n"
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write((head + body).encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


if __name__ == "__main__":
    asyncio.run(Server(Path(sys.argv[1])).serve(int(sys.argv[2])))
