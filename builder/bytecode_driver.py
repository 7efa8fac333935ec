"""Run by the target's interpreter, not by ours: compile groups of files, each in its own process.

The first argument is how many groups are compiled at once, the second a folder, where each group is
a file named by its number: JSON, a list of a place, a number, and a list of paths. Each source lies
at that place and its path without so many signs; the place is empty for the working folder.
Standard input is the numbers, a line each, and groups are compiled while more may come. The byte
code of a group is left beside it, as one file with `.made` behind its name: as many empty bytes as
the third argument says, a line of JSON with names and sizes, then the contents; nothing is, where
a source that lies elsewhere cannot be read, or where the group's file has been removed, as nobody
wants it any more. Its number then goes to standard output.
"""

import sys

# The working folder is the release's tree: nothing must be imported from there.
sys.path[:] = [place for place in sys.path if place]

import gc  # noqa: E402
import importlib.util  # noqa: E402
import json  # noqa: E402
import marshal  # noqa: E402
import os  # noqa: E402
import warnings  # noqa: E402

# Flags of a pyc file that is known by a hash of its source, which nobody compares (PEP 552).
_UNCHECKED_HASH = (1).to_bytes(4, "little")


def compile_group(number: str, room: int) -> None:
    """Compile some files; skip those that are not Python of this version."""
    try:
        with open(number, "rb") as file:
            place, less, paths = json.load(file)
    except FileNotFoundError:
        return
    made = []
    for path in paths:
        try:
            with open(place + path[less:], "rb") as file:
                source = file.read()
        except OSError:
            if not place:
                raise
            # What lies elsewhere may go at any time, and will be asked for again where it counts.
            return
        try:
            # The path is recorded in the code; the importer puts the real one in its place.
            code = marshal.dumps(compile(source, path, "exec", dont_inherit=True))
        except (SyntaxError, ValueError, RecursionError):
            continue
        head = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(source)
        made.append((importlib.util.cache_from_source(path), head + code))
    index = json.dumps([[name, len(content)] for name, content in made])
    with open(number + ".made", "wb") as file:
        file.write(bytes(room) + index.encode() + b"\n")
        file.writelines(content for _, content in made)


def main() -> None:
    """Fork once for each group, so that all start from the same state."""
    warnings.simplefilter("ignore")
    # What compiling leaves is freed without it, and it looks in vain for a tenth of the time.
    gc.disable()
    most, folder, room = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    running = {}  # type: dict[int, str]
    for line in sys.stdin:
        if len(running) == most:
            _wait(running)
        number = line.strip()
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                compile_group(os.path.join(folder, number), room)
                status = 0
            finally:
                os._exit(status)
        running[pid] = number
    while running:
        _wait(running)


def _wait(running: "dict[int, str]") -> None:
    """Wait for one group, and say that it is there."""
    pid, status = os.wait()
    if status != 0:
        sys.exit(1)
    sys.stdout.write(running.pop(pid) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
