"""An application server: it fails while its code and the database are of different versions.

Run on a host as `python3 server.py APP PORT DATABASE_ADDRESS DATABASE_PORT`. The version of its
code is what `APP/current/app/version` said when it started or was last told to reload (SIGHUP);
each request asks the database for its schema, as a query would meet it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path


class Server:
    """The code's version, and a connection to the database."""

    def __init__(self, app: Path) -> None:
        self._app = app
        self._turn = asyncio.Lock()
        self.reload()

    def reload(self) -> None:
        """Take the code that is current."""
        path = self._app / "current" / "app" / "version"
        self._version = path.read_text().strip() if path.exists() else "none"

    async def serve(self, port: int, database: tuple[str, int]) -> None:
        """Answer for ever."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self.reload)
        self._reader, self._writer = await _reach(database)
        server = await asyncio.start_server(self._talk, "", port)
        await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                schema = await self._schema()
                status = "200 OK" if schema == self._version else "503 Service Unavailable"
                body = f"version {self._version}, schema {schema}, process {os.getpid()}\n"
                head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write((head + body).encode())
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _schema(self) -> str:
        async with self._turn:
            self._writer.write(b"get\n")
            return (await self._reader.readline()).decode().strip()


async def _reach(database: tuple[str, int]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect to the database, which starts at the same time, as soon as it listens."""
    while True:
        try:
            return await asyncio.open_connection(*database)
        except ConnectionRefusedError:
            await asyncio.sleep(0.05)


async def main(app: str, port: str, address: str, database_port: str) -> None:
    """Start."""
    await Server(Path(app)).serve(int(port), (address, int(database_port)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
