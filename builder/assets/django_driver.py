"""Runs inside the project's interpreter, by `collectstatic.py`: Django and no Castoff there.

Arguments: the folder to gather into, and the file to report to.
"""

import json
import runpy
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core import management

_STORAGE = "django.contrib.staticfiles.storage.StaticFilesStorage"
_STORAGES_SINCE = (4, 2)

target, report = sys.argv[1:]
run = management.execute_from_command_line
sys.path.insert(0, "")


def gather(_arguments: object = None) -> None:
    """Stand in for the command line of the project's `manage.py`."""
    settings.STATIC_ROOT = target
    if django.VERSION >= _STORAGES_SINCE:
        settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": _STORAGE}}
    else:
        settings.STATICFILES_STORAGE = _STORAGE
    run(["manage.py", "collectstatic", "--noinput", "--verbosity", "0"])
    Path(report).write_text(json.dumps({"static_url": settings.STATIC_URL}), encoding="utf-8")


if Path("manage.py").is_file():
    management.execute_from_command_line = gather
    sys.argv = ["manage.py", "collectstatic"]
    runpy.run_path("manage.py", run_name="__main__")
else:
    gather()
