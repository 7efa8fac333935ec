"""What a uWSGI of a test is configured with: the application of support/released.py."""

from __future__ import annotations

import shutil

import pytest

from support.released import Released

# The physical folder of the release, found anew each time that uWSGI reads this.
_INI = """
[uwsgi]
release = @(exec://readlink -f {root}/current)
plugin = python3
http-socket = 127.0.0.1:{port}
chdir = %(release)/app
pythonpath = %(release)/app
module = web:app
master = true
processes = 2
pidfile = {root}/shared/uwsgi.pid
master-fifo = {root}/shared/uwsgi.fifo
touch-reload = {root}/shared/reload
daemonize2 = {root}/shared/uwsgi.log
worker-reload-mercy = 20
need-app = true
die-on-term = true
"""


def write_uwsgi(app: Released, port: int) -> str:
    """Write the configuration; return the command that starts uWSGI with it."""
    if shutil.which("uwsgi") is None:
        pytest.skip("uWSGI is not installed")
    path = app.root / "shared" / "uwsgi.ini"
    path.write_text(_INI.format(root=app.root, port=port))
    (app.root / "shared" / "reload").touch()
    return f"uwsgi --ini {path}"
