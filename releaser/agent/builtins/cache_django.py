"""Clear a cache of a Django project, with the release's own code and settings."""

from __future__ import annotations

import os
import shlex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..parameters import Parameters
    from .errand import Errand

# In the project's own Python. `manage.py` names the settings as it does for its commands, and what
# it would do with them is done here.
_PROGRAM = """
import os, runpy, sys
alias, settings = sys.argv[1:3]
sys.path.insert(0, "")
def clear(*_):
    import django
    django.setup()
    from django.conf import settings
    if alias not in settings.CACHES:
        names = ", ".join(settings.CACHES)
        sys.exit("the settings have no cache %r; they have: %s" % (alias, names))
    kind = settings.CACHES[alias]["BACKEND"].rpartition(".")[2]
    if kind == "LocMemCache":
        sys.exit("cache %r is in the memory of each process: a restart clears it" % alias)
    from django.core.cache import caches
    caches[alias].clear()
    print("Django: cache %r (%s) is empty" % (alias, kind))
if settings:
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
if "DJANGO_SETTINGS_MODULE" in os.environ or not os.path.isfile("manage.py"):
    clear()
else:
    from django.core import management
    management.execute_from_command_line = clear
    sys.argv = ["manage.py", "clear_cache"]
    runpy.run_path("manage.py", run_name="__main__")
"""


def clear_django(errand: Errand, options: Parameters) -> str:
    """Clear it by `bin/python` of the release, with the step's variables.

    Raises:
        AgentError: `step-failed`, `step-timeout`.
    """
    release = errand.layout.release(errand.version)
    words = [
        os.path.join(release, "bin", "python"),
        "-c",
        _PROGRAM,
        options.text("alias"),
        options.text_or_none("settings") or "",
    ]
    errand.command(" ".join(shlex.quote(word) for word in words), folder=f"{release}/app")
    return ""
