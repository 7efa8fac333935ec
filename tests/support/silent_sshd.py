"""An SSH server that leaves the first who logs in without an answer, and takes any key later."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncssh


@contextlib.contextmanager
def silent_sshd(host_key: Path) -> Iterator[int]:
    """Run one; yield its port.

    Args:
        host_key: The private key that it shows.
    """
    argv = [sys.executable, "-m", "support.silent_sshd", str(host_key)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


class _Login(asyncssh.SSHServer):
    logins = 0

    def public_key_auth_supported(self) -> bool:
        """Keys are taken."""
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        """Think about it for ever, or take any."""
        del username, key
        _Login.logins += 1
        if _Login.logins == 1:
            await asyncio.sleep(3600)
        return True


async def _serve(host_key: str) -> None:
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[host_key], server_factory=_Login
    )
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    print(server.get_port(), flush=True)  # noqa: T201 (whoever started it reads this)
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
