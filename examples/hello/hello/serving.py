"""Settings of gunicorn (`--config python:hello.serving`)."""

import os
from pathlib import Path

from gunicorn.workers.base import Worker

SHARED = Path(os.environ["CASTOFF_SHARED"])

bind = f"127.0.0.1:{os.environ['PORT']}"
workers = 2
daemon = True
pidfile = str(SHARED / "hello.pid")
errorlog = str(SHARED / "hello.log")
# A worker finishes the requests that it has taken when it is told to leave.
graceful_timeout = 30
# Its default place is one for all gunicorns of a user.
control_socket_disable = True


def post_worker_init(worker: Worker) -> None:
    """Note that this master has a worker which has loaded the application."""
    (SHARED / f"hello.{worker.ppid}.ready").touch()
