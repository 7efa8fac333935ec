"""What a launcher is made of.

A launcher is one file that is both a shell script and a Python program. The shell reads `''''` as
an empty command word before `:`, finds the interpreter, and replaces itself by it, running the same
file; Python reads everything between the quotation marks as a string, and goes on after it. So
there is no path in the file, and any tool that runs `python bin/NAME` instead (gunicorn does when
it re-executes itself) gets the same program.

The shell part is POSIX; it must hold neither a backslash nor three apostrophes.
"""

from __future__ import annotations

# {check}: Python that succeeds on an acceptable interpreter; {names}: what it may be called;
# {wanted}: what is acceptable, in words.
FIND = """\
# Find this release: the physical folder above this file, wherever links to it lie.
self=$0
case $self in
  */*) ;;
  *) if [ -f "./$self" ]; then self=./$self; else self=$(command -v -- "$self"); fi ;;
esac
file=$self
while [ -h "$file" ]; do
  target=$(readlink -- "$file")
  case $target in /*) file=$target ;; *) file=${{file%/*}}/$target ;; esac
done
release=$(CDPATH= cd -P -- "${{file%/*}}/.." && pwd -P) || exit 127
# Find its interpreter: the one that is named, the one chosen for this release when it was put
# here, the one it was built with, any that will do.
python=
chosen=${{release%/*/*}}/.castoff/python/${{release##*/}}
if [ -n "${{CASTOFF_PYTHON:-}}" ]; then
  python=$CASTOFF_PYTHON
elif [ -x "$chosen" ]; then
  python=$chosen
else
  for candidate in {names}; do
    if "$candidate" -I -S -c '{check}' >/dev/null 2>&1; then
      python=$candidate
      break
    fi
  done
fi
if [ -z "$python" ] || ! command -v "$python" >/dev/null 2>&1; then
  missing="there is no ${{python:-such interpreter}} here"
  echo "${{self##*/}}: needs Python {wanted}; $missing; CASTOFF_PYTHON may name its path" >&2
  exit 127
fi
# So that the system's list of processes shows which release each is of.
CASTOFF_RELEASE=$release
export CASTOFF_RELEASE
"""

# {find}: the above; {start}: what to do once the path is set, indented by four.
PROGRAM = """\
#!/bin/sh
'''':
{find}exec "$python" -s -S "$self" "$@"
'''
import os
import sys


def _prepare():
    # Physical, so that a process stays in the release that it was started in.
    release = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    if not ({condition}):
        sys.stderr.write(
            "%s: needs Python {wanted}, and %s is %d.%d%s\\n"
            % (
                (os.path.basename(__file__), sys.executable)
                + sys.version_info[:2]
                + ("t" if "t" in getattr(sys, "abiflags", "") else "",)
            )
        )
        sys.exit(127)
    if os.environ.get("CASTOFF_RELEASE") != release or not sys.flags.no_site:
        # Executed by a process of another release (gunicorn does so when it upgrades itself), whose
        # environment we have, or by a Python that has let the host's packages do their start-up
        # already: begin again with an environment that tells the truth, and without them.
        os.environ["CASTOFF_RELEASE"] = release
        os.execv(sys.executable, [sys.executable, "-s", "-S", __file__, *sys.argv[1:]])
    import site

    # What runs is what was built: of the host's own packages none can be imported.
    standard = os.path.dirname(os.__file__)
    named = [os.path.abspath(p) for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    ours = [os.path.join(release, name) for name in ("project", "lib", "app")]
    host = [
        p
        for p in sys.path
        if p not in ours
        and (p in named or p == standard or p.endswith((".zip", os.sep + "lib-dynload")))
    ]
    sys.path[:] = []
    site.addsitedir(ours[0])
    site.addsitedir(ours[1])
    sys.path[:] = sys.path + ours[2:] + host
    # The rest of what Python does at its start: `exit` and the like, and a `sitecustomize` of the
    # release or of PYTHONPATH, by which tracers hook themselves in.
    site.setquit()
    site.setcopyright()
    site.sethelper()
    site.execsitecustomize()
    # A release does not change once it is complete.
    sys.dont_write_bytecode = True
    return release


if __name__ == "__main__":
    _release = _prepare()
{start}
"""

CALL = """\
    import importlib

    _entry = importlib.import_module("{module}")
    for _name in {names!r}:
        _entry = getattr(_entry, _name)
    sys.exit(_entry())"""

RUN = """\
    import runpy

    runpy.run_path(os.path.join(_release, {place!r}, "bin", {script!r}), run_name="__main__")"""

PYTHON = """\
#!/bin/sh
{find}PYTHONPATH=$release/project:$release/lib:$release/app${{PYTHONPATH:+:$PYTHONPATH}}
PYTHONNOUSERSITE=1
PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH PYTHONNOUSERSITE PYTHONDONTWRITEBYTECODE
exec "$python" -s "$@"
"""
