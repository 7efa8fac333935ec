"""Projects that make a wheel by a back end of their own, which needs nothing from any index."""

from __future__ import annotations

from collections.abc import Mapping

_PYPROJECT = """\
[build-system]
requires = []
build-backend = "own"
backend-path = ["."]
{project}
"""

_BACK_END = """\
import os
import zipfile


def build_wheel(folder, settings=None, metadata=None):
    info = "{file}-2.0.dist-info"
    files = {{
        f"{{info}}/METADATA": "Metadata-Version: 2.1\\nName: {name}\\nVersion: 2.0\\n{requires}",
        f"{{info}}/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        f"{{info}}/entry_points.txt": "[console_scripts]\\n{scripts}\\n",
    }}
    for top, _, names in os.walk("src"):
        for name in names:
            path = os.path.join(top, name)
            with open(path) as opened:
                files[os.path.relpath(path, "src")] = opened.read()
    files[f"{{info}}/RECORD"] = "".join(f"{{name}},,\\n" for name in files)
    name = "{file}-2.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for path, text in sorted(files.items()):
            archive.writestr(path, text)
    return name
"""


def own_project(
    name: str,
    files: Mapping[str, str],
    *,
    at: str = "",
    scripts: str = "",
    requires: str = "",
    named: bool = True,
) -> dict[str, str]:
    """Return the files of a project of version 2.0.

    Args:
        name: Its name, normalised.
        files: What is in its wheel.
        at: Its folder, with a slash behind it.
        scripts: A line of entry points.
        requires: What it asks for.
        named: Whether pyproject.toml says its name, and not only its back end.
    """
    project = f'[project]\nname = "{name}"\nversion = "2.0"\n' if named else ""
    if named and requires:
        project += f'dependencies = ["{requires}"]\n'
    if named and scripts:
        key, _, value = scripts.partition(" = ")
        project += f'[project.scripts]\n{key} = "{value}"\n'
    needs = f"Requires-Dist: {requires}\\n" if requires else ""
    return {
        f"{at}pyproject.toml": _PYPROJECT.format(project=project),
        f"{at}own.py": _BACK_END.format(
            name=name, file=name.replace("-", "_"), requires=needs, scripts=scripts
        ),
        **{f"{at}src/{path}": text for path, text in files.items()},
    }
