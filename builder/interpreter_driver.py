"""What an interpreter is: run by it with `-c`, and imported where it is the one that runs Castoff.

It has to run on whatever Python a project names, alone: nothing but the standard library.
"""

import json
import os
import platform
import sys
import sysconfig
from typing import Any


def facts() -> "dict[str, Any]":
    """Return the executable, and what PEP 508 markers are evaluated against."""
    major, minor, micro = sys.implementation.version[:3]
    return {
        "executable": sys.executable,
        "free_threaded": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
        "markers": {
            "implementation_name": sys.implementation.name,
            "implementation_version": f"{major}.{minor}.{micro}",
            "os_name": os.name,
            "platform_machine": platform.machine(),
            "platform_python_implementation": platform.python_implementation(),
            "platform_release": platform.release(),
            "platform_system": platform.system(),
            "platform_version": platform.version(),
            "python_full_version": platform.python_version(),
            "python_version": f"{sys.version_info[0]}.{sys.version_info[1]}",
            "sys_platform": sys.platform,
        },
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(facts()))
