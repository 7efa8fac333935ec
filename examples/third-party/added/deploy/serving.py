"""Settings of gunicorn."""

import os
from pathlib import Path

SHARED = Path(os.environ["CASTOFF_SHARED"])

bind = "0.0.0.0:8001"
workers = 1
worker_class = "uvicorn_worker.UvicornWorker"
daemon = True
pidfile = str(SHARED / "web.pid")
errorlog = str(SHARED / "web.log")
graceful_timeout = 20
control_socket_disable = True


def post_worker_init(worker):
    """Tell deploy/restart that this master has a worker which has loaded the application."""
    (SHARED / f"ready.{worker.ppid}").touch()
