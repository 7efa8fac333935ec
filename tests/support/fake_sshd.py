"""SSH servers of one process for many hosts: the protocol is real, and so is the agent's code.

What is spared is the process of each login: the agent of a host is a thread here, which is how a
machine carries a thousand of them. Any number of hosts may have the one address; what tells them
apart is the folder that their agent is told to work in.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from support.memory_fleet import serve_agent

# The agent waits by select(2), which knows no descriptor above 1023, and a host has five.
MOST_HOSTS = 150


@dataclass(frozen=True)
class FakeServer:
    """One server, for at most `MOST_HOSTS` connections at once."""

    port: int
    pid: int


@contextlib.contextmanager
def fake_sshd(folder: Path, key: Path, *, servers: int = 1) -> Iterator[list[FakeServer]]:
    """Run servers that let in whoever has a key; each is a process.

    Args:
        folder: Where `host_key`, a private key, lies.
        key: The private key that logs in; its public half lies beside it.
        servers: How many.
    """
    argv = [sys.executable, "-m", "support.fake_sshd", str(folder / "host_key"), f"{key}.pub"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with contextlib.ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    argv, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
            for _ in range(servers)
        ]
        try:
            found = []
            for process in processes:
                assert process.stdout is not None
                found.append(FakeServer(int(process.stdout.readline()), process.pid))
            yield found
        finally:
            for process in processes:
                process.kill()


async def _serve(host_key: str, authorized: str) -> None:
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[host_key],
        authorized_client_keys=authorized,
        process_factory=_run_agent,
        encoding=None,
        backlog=4096,
        login_timeout=600,
        compression_algs=None,
        gss_host=None,
    )
    # What asyncssh cannot say any more to a client that is gone is no news.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    print(server.get_port(), flush=True)  # noqa: T201 (whoever started it reads this)
    # It ends with whoever started it.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


async def _run_agent(process: asyncssh.SSHServerProcess[bytes]) -> None:
    requests, requests_in = os.pipe()
    answers_out, answers = os.pipe()
    threading.Thread(target=serve_agent, args=(requests, answers), daemon=True).start()
    # To the end of either pipe: the client's input ends the agent, the agent's end the session.
    await process.redirect(stdin=requests_in, stdout=answers_out)
    await process.wait_closed()


if __name__ == "__main__":
    threading.stack_size(256 * 1024)
    asyncio.run(_serve(*sys.argv[1:3]))
