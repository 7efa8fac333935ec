"""Run by the target's interpreter, not by ours: compile groups of files, each in its own process.

Standard input is a JSON list of lists of paths relative to the working folder; the argument is
how many groups are compiled at once.
"""

import sys

# The working folder is the release's tree: nothing must be imported from there.
sys.path[:] = [place for place in sys.path if place]

import json  # noqa: E402
import os  # noqa: E402
import py_compile  # noqa: E402
import warnings  # noqa: E402


def compile_group(paths: "list[str]") -> None:
    """Compile some files; skip those that are not Python of this version."""
    for path in paths:
        try:
            py_compile.compile(
                path,
                # Recorded in the code; the importer puts the real path in its place.
                dfile=path,
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
                quiet=2,
            )
        except (py_compile.PyCompileError, ValueError, RecursionError):
            continue


def main() -> None:
    """Fork once for each group, so that all start from the same state."""
    warnings.simplefilter("ignore")
    groups = json.load(sys.stdin)
    most = int(sys.argv[1])
    running = 0
    failed = False
    for group in groups:
        if running == most:
            failed = os.wait()[1] != 0 or failed
            running -= 1
        if os.fork() == 0:
            status = 1
            try:
                compile_group(group)
                status = 0
            finally:
                os._exit(status)
        running += 1
    for _ in range(running):
        failed = os.wait()[1] != 0 or failed
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
