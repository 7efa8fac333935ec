"""The other ways: the whole archive, rsync, zsync, casync, and a patch by zstd."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from bytes_work.ground import Ground
from common.tools import debian_tool

_CURL = "curl -fsS --retry 3 --retry-connrefused"
# zstd looks back over the whole tree, as its manual says for `--patch-from`.
_ZSTD_LEVEL = 19
_ZSTD_WINDOW = "--long=31"


class _Replacing:
    """A way whose every release takes the place of the one before."""

    folder: str

    def tree(self, number: int) -> str:
        """Return where the tree lies."""
        del number
        return f"{self.folder}/tree"


class Whole(_Replacing):
    """The archive that Castoff built, fetched and unpacked."""

    name = "whole archive"
    folder = "/srv/whole"

    def get(self) -> str:
        """Install curl."""
        return debian_tool("curl", "curl")

    def publish(self, it: Ground, number: int) -> None:
        """Put the archive where nginx serves it."""
        shutil.copy(it.series.archive(number), it.public / f"whole-{number}.tar.gz")

    def fetch(self, it: Ground, number: int) -> int:
        """Fetch and unpack."""
        name = f"whole-{number}.tar.gz"
        return it.given_by(
            f"mkdir -p {self.folder} && cd {self.folder} && rm -rf tree && mkdir tree && "
            f"{_CURL} {it.url}/{name} | tar -xzf - -C tree"
        )


class Rsync(_Replacing):
    """`rsync -rcz --delete` over SSH, of the tree."""

    name = "rsync -rcz --delete"
    folder = "/srv/rsync"

    def get(self) -> str:
        """Install rsync."""
        return debian_tool("rsync", "rsync")

    def publish(self, it: Ground, number: int) -> None:
        """Nothing: it reads the tree."""

    def fetch(self, it: Ground, number: int) -> int:
        """Run it, and take its own words for what it sent and received."""
        target = f"{it.host.user}@{it.host.address}:{self.tree(number)}/"
        it.do(f"mkdir -p {self.folder}")
        argv = [
            "rsync",
            "-rcz",
            "--delete",
            "--stats",
            "-e",
            it.ssh,
            f"{it.tree(number)}/",
            target,
        ]
        said = _run(*argv)
        found = re.findall(r"Total bytes (?:sent|received): ([\d,]+)", said)
        return sum(int(text.replace(",", "")) for text in found)


class Zsync(_Replacing):
    """`zsync` of the tar, which `zsyncmake -z` compresses for it, from the tar on the host."""

    name = "zsync"
    folder = "/srv/zsync"

    def get(self) -> str:
        """Install zsync."""
        return debian_tool("zsync", "zsync")

    def publish(self, it: Ground, number: int) -> None:
        """Compress the tar, and make the list of its blocks."""
        name = f"zsync-{number}.tar"
        work = it.folder / name
        shutil.copy(it.tar(number), work)
        control = it.public / f"{name}.zsync"
        _run(
            "zsyncmake",
            "-z",
            "-C",
            "-u",
            f"{name}.gz",
            "-o",
            str(control),
            str(work),
            cwd=it.folder,
        )
        shutil.move(it.folder / f"{name}.gz", it.public)
        work.unlink()

    def fetch(self, it: Ground, number: int) -> int:
        """Rebuild the tar from the last one, and unpack it."""
        old = "-i old.tar" if number else ""
        return it.given_by(
            f"mkdir -p {self.folder} && cd {self.folder} && "
            f"zsync {old} -o new.tar {it.url}/zsync-{number}.tar.zsync && "
            "mv new.tar old.tar && rm -rf tree new.tar.* && mkdir tree && tar -xf old.tar -C tree"
        )


class Casync:
    """`casync extract` of the tree from a store of chunks, with the tree on the host as seed."""

    name = "casync"
    folder = "/srv/casync"

    def get(self) -> str:
        """Install casync."""
        return debian_tool("casync", "casync")

    def publish(self, it: Ground, number: int) -> None:
        """Put what is new of the tree into the store of chunks."""
        _run(
            *("casync", "make", "--without=all", "--with=permissions", "--with=symlinks"),
            f"--store={it.public / 'casync.castr'}",
            *(str(it.public / f"casync-{number}.caidx"), str(it.tree(number))),
        )

    def fetch(self, it: Ground, number: int) -> int:
        """Extract; the release before the last one is removed."""
        seed = f"--seed={self.tree(number - 1)}" if number else ""
        return it.given_by(
            f"mkdir -p {self.folder} && casync extract {seed} --store={it.url}/casync.castr "
            "--without=all --with=permissions --with=symlinks --seed-output=no "
            f"{it.url}/casync-{number}.caidx {self.tree(number)} && "
            f"rm -rf {self.tree(number - 2)}"
        )

    def tree(self, number: int) -> str:
        """Return where the tree lies."""
        return f"{self.folder}/{number}"


class Zstd(_Replacing):
    """`zstd --patch-from` of the tar against the last one."""

    name = f"zstd -{_ZSTD_LEVEL} --patch-from"
    folder = "/srv/zstd"

    def get(self) -> str:
        """Install zstd."""
        return debian_tool("zstd", "zstd")

    def publish(self, it: Ground, number: int) -> None:
        """Make the patch; for the first release there is nothing to make one against."""
        old = [f"--patch-from={it.tar(number - 1)}", f"-{_ZSTD_LEVEL}"] if number else []
        name = str(it.public / f"zstd-{number}")
        _run("zstd", "-q", _ZSTD_WINDOW, *old, str(it.tar(number)), "-o", name)

    def fetch(self, it: Ground, number: int) -> int:
        """Fetch the patch and apply it."""
        old = "--patch-from=old.tar" if number else ""
        return it.given_by(
            f"mkdir -p {self.folder} && cd {self.folder} && "
            f"{_CURL} -o patch {it.url}/zstd-{number} && "
            f"zstd -q -d {_ZSTD_WINDOW} {old} patch -o new.tar && mv new.tar old.tar && "
            "rm -rf tree && mkdir tree && tar -xf old.tar -C tree"
        )


def _run(*argv: str, cwd: Path | None = None) -> str:
    done = subprocess.run(argv, check=False, capture_output=True, text=True, cwd=cwd)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv[:3])} …: {done.stderr[-2000:]}")
    return done.stdout
