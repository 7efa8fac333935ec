#!/usr/bin/env python3
"""Push many assets to a bucket: Castoff against raw uploads of the same bytes by rclone.

The bucket is SeaweedFS's, on this machine. See README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from common import machine
from common.environment import as_users_have_it, end_in_order
from common.figures import Figure, seconds, size
from common.hosts import scratch
from common.results import put_section, table
from common.tools import Unavailable, debian_tool
from common.usage import measure
from support import s3

CASTOFF = Path(sys.executable).with_name("castoff")
OURS = "castoff push"
CHANGED = 10
ALL, TEN, NOTHING = "all new", "ten changed", "nothing changed"
CONFIG = """\
[apps.pages]
build = {{ include = [] }}
[apps.pages.assets]
sources = ["public"]
base_url = "/"
encodings = []
[apps.pages.cdn]
urls = ["{endpoint}/{bucket}/ours/"]
store = "s3://{bucket}/ours"
endpoint_url = "{endpoint}"
"""
# So many at once as Castoff has; what is there is known by size and MD5, without asking for each.
RCLONE = ("rclone", "copy", "-q", "--transfers=24", "--checkers=24", "--checksum")
CONTENDERS = {"rclone copy": RCLONE, "rclone copy --s3-no-head": (*RCLONE, "--s3-no-head")}


@dataclass(frozen=True)
class Upload:
    """One run of a tool; seconds and bytes.

    Attributes:
        sent: How many files went, as far as the tool tells.
    """

    tool: str
    what: str
    seconds: float
    cpu: float
    memory: int
    sent: int | None


def main() -> None:
    """Measure, print, and write if asked."""
    options = _options()
    as_users_have_it()
    end_in_order()
    try:
        version = debian_tool("rclone", "rclone")
    except Unavailable as error:
        sys.exit(f"rclone cannot be had: {error}")
    uploads: list[Upload] = []
    with scratch() as folder:
        (folder / "server").mkdir()
        project = folder / "project"
        _write(project, options.files)
        with s3.seaweed(folder / "server") as endpoint:
            for turn in range(options.rounds):
                uploads += _round(folder, project, endpoint, turn)
        total = sum(path.stat().st_size for path in (folder / "1").rglob("*") if path.is_file())
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in uploads], indent=1))
    text = report(uploads, options.files, total, options.rounds, version)
    print(text)
    if options.write:
        put_section("assets", text)


def _write(project: Path, files: int) -> None:
    """Write a project of so many assets, a few kilobytes each, that do not compress."""
    noise = random.Random(files)
    for number in range(files):
        path = project / "public" / f"{number % 100:02}" / f"{number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(noise.randbytes(noise.randrange(500, 12_000)))
    (project / ".gitignore").write_text("artifacts/\ncastoff.toml\n")
    _git(project, "init", "-q")


def _round(folder: Path, project: Path, endpoint: str, turn: int) -> list[Upload]:
    bucket = s3.make_bucket(endpoint)
    (project / "castoff.toml").write_text(CONFIG.format(endpoint=endpoint, bucket=bucket))
    shutil.rmtree(project / "artifacts", ignore_errors=True)
    first, second = f"{turn}.1", f"{turn}.2"
    _build(folder, project, first, "1")
    noise = random.Random(turn)
    for number in range(CHANGED):
        (project / "public" / f"{number:02}" / f"{number}.bin").write_bytes(noise.randbytes(5_000))
    _build(folder, project, second, "2")
    found = []
    for what, version, tree in ((ALL, first, "1"), (TEN, second, "2"), (NOTHING, second, "2")):
        tools = [OURS, *CONTENDERS]
        # Nobody is always first or last.
        for tool in tools[turn % len(tools) :] + tools[: turn % len(tools)]:
            found.append(_run(tool, what, folder, project, endpoint, bucket, version, tree))
            print(f"{tool}, {what}: {found[-1].seconds:.1f} s", file=sys.stderr)
    return found


def _build(folder: Path, project: Path, version: str, tree: str) -> None:
    """Build a version, and unpack its assets for rclone: the same names, the same bytes."""
    _git(project, "add", "-A")
    _git(project, "commit", "-q", "-m", version)
    measure(
        [str(CASTOFF), "build", "--version", version],
        cwd=project,
        env=_environment(folder),
        log=folder / "log",
    )
    shutil.rmtree(folder / tree, ignore_errors=True)
    with tarfile.open(project / "artifacts" / f"pages-{version}.tar.gz") as archive:
        listed = archive.extractfile("static/assets.json")
        if listed is None:
            raise RuntimeError("the release has no list of assets")
        wanted = {one["path"] for one in json.load(listed)["assets"].values()}
        for member in archive.getmembers():
            path = member.name.removeprefix("static/")
            content = archive.extractfile(member) if path in wanted else None
            if content is not None:
                (folder / tree / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / tree / path).write_bytes(content.read())


def _run(
    tool: str,
    what: str,
    folder: Path,
    project: Path,
    endpoint: str,
    bucket: str,
    version: str,
    tree: str,
) -> Upload:
    env = _environment(folder)
    if tool == OURS:
        argv = [str(CASTOFF), "push", version, "--json"]
    else:
        env |= {
            "RCLONE_S3_PROVIDER": "Other",
            "RCLONE_S3_ENDPOINT": endpoint,
            "RCLONE_S3_ACCESS_KEY_ID": s3.ACCESS_KEY,
            "RCLONE_S3_SECRET_ACCESS_KEY": s3.SECRET_KEY,
        }
        prefix = tool.replace(" ", "-")
        argv = [*CONTENDERS[tool], str(folder / tree), f":s3:{bucket}/{prefix}"]
    used = measure(argv, cwd=project, env=env, log=folder / "log")
    sent = json.loads(used.output)["assets"]["sent"] if tool == OURS else None
    return Upload(tool, what, used.seconds, used.cpu, used.memory, sent)


def _environment(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "RCLONE_"))}
    (folder / "home").mkdir(exist_ok=True)
    return {**kept, **s3.ENVIRONMENT, "HOME": str(folder / "home"), "CI": "true"}


def _git(project: Path, *words: str) -> None:
    identity = ("-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.org")
    subprocess.run(["git", *identity, *words], cwd=project, check=True, capture_output=True)


def report(uploads: Sequence[Upload], files: int, total: int, rounds: int, version: str) -> str:
    """Return the section of RESULTS.md."""
    tools = [OURS, *CONTENDERS]

    def median(tool: str, what: str, value: str) -> float:
        return Figure.of(
            [getattr(one, value) for one in uploads if (one.tool, one.what) == (tool, what)]
        ).median

    rows = [
        [
            f"`{tool}`",
            *(seconds(median(tool, what, "seconds")) for what in (ALL, TEN, NOTHING)),
            seconds(median(tool, ALL, "cpu")),
            size(median(tool, ALL, "memory")),
            f"{median(OURS, ALL, 'seconds') / median(tool, ALL, 'seconds'):.2f} x",
        ]
        for tool in tools
    ]
    sent = {
        what: sorted({one.sent or 0 for one in uploads if (one.tool, one.what) == (OURS, what)})
        for what in (ALL, TEN, NOTHING)
    }
    told = ", ".join(f"{what} {'/'.join(map(str, sent[what]))}" for what in sent)
    head = ["", ALL, TEN, NOTHING, "CPU, all new", "memory, all new", "ours against it, all new"]
    return f"""## Assets to a bucket: `assets.py`

{machine.describe()}. Medians of {rounds} round(s).

{files} files, {size(total)}, to SeaweedFS on this machine, which shares its processors with who
uploads; rclone {version} uploads the same files under the same names, 24 at once, from a folder.
`castoff push` is the whole command: it also checks the archive against its table, reads the files
out of it, sends each with its SHA-256, and puts the version into its store, a folder here. Files
that it sent: {told}.

{table(head, rows)}
"""


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000, help="how many assets")
    parser.add_argument("--rounds", type=int, default=3, help="how often all is uploaded")
    parser.add_argument("--json", type=Path, help="write each single figure to this file")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md")
    return parser.parse_args()


if __name__ == "__main__":
    main()
