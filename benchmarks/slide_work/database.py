"""A database server that knows one thing: the number of its schema.

Run on the first host as `python3 database.py PORT`. It answers each line `get` with the number,
and `set NUMBER` by taking it at once, as a migration changes tables from its start on.
"""

from __future__ import annotations

import asyncio
import sys


class Database:
    """The schema, and its server."""

    def __init__(self) -> None:
        self.schema = "1"

    async def serve(self, port: int) -> None:
        """Answer for ever."""
        server = await asyncio.start_server(self._talk, "", port)
        await server.serve_forever()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            words = line.decode().split()
            if words[0] == "set":
                self.schema = words[1]
            writer.write(f"{self.schema}\n".encode())
        writer.close()


if __name__ == "__main__":
    asyncio.run(Database().serve(int(sys.argv[1])))
