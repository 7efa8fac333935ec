"""Run by the target's interpreter, not by ours: compile groups of files, each in its own process.

Standard input is a JSON list of lists of paths relative to the working folder; the first argument
is how many groups are compiled at once, the second a folder, where the byte code of each group is
left as one file too, named by its number: a line of JSON with names and sizes, then the contents.
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


def compile_group(paths: "list[str]", together: str) -> None:
    """Compile some files; skip those that are not Python of this version."""
    made = []
    for path in paths:
        with open(path, "rb") as file:
            source = file.read()
        try:
            # The path is recorded in the code; the importer puts the real one in its place.
            code = marshal.dumps(compile(source, path, "exec", dont_inherit=True))
        except (SyntaxError, ValueError, RecursionError):
            continue
        head = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH + importlib.util.source_hash(source)
        target = importlib.util.cache_from_source(path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(head + code)
        made.append((target, head + code))
    index = json.dumps([[name, len(content)] for name, content in made])
    with open(together, "wb") as file:
        file.write(index.encode() + b"\n")
        file.writelines(content for _, content in made)


def main() -> None:
    """Fork once for each group, so that all start from the same state."""
    warnings.simplefilter("ignore")
    # What compiling leaves is freed without it, and it looks in vain for a tenth of the time.
    gc.disable()
    groups = json.load(sys.stdin)
    most = int(sys.argv[1])
    running = 0
    failed = False
    for number, group in enumerate(groups):
        if running == most:
            failed = os.wait()[1] != 0 or failed
            running -= 1
        if os.fork() == 0:
            status = 1
            try:
                compile_group(group, os.path.join(sys.argv[2], str(number)))
                status = 0
            finally:
                os._exit(status)
        running += 1
    for _ in range(running):
        failed = os.wait()[1] != 0 or failed
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
