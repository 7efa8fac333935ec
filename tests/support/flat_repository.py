"""A Debian repository in one folder, of packages that hold nothing: no network is asked."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

# Instead of all others, so that nothing is asked of a network.
_SOURCE = "deb [trusted=yes] file:{folder} ./\n"


def flat_repository(root: Path, folder: str, *names: str) -> None:
    """Make packages of these names what apt finds on a host, and all that it finds.

    Args:
        root: The host's root as it is seen from here.
        folder: Absolute path of the repository on the host.
        names: Packages, each of version 1.0.
    """
    place = root / folder.lstrip("/")
    place.mkdir(parents=True)
    entries = [_package(place, name) for name in names]
    (place / "Packages").write_text("\n".join(entries))
    for old in (root / "etc" / "apt" / "sources.list.d").glob("*"):
        old.unlink()
    (root / "etc" / "apt" / "sources.list").write_text(_SOURCE.format(folder=folder))


def _package(place: Path, name: str) -> str:
    control = (
        f"Package: {name}\nVersion: 1.0\nArchitecture: all\n"
        "Maintainer: Nobody <nobody@example.com>\nDescription: Nothing\n"
    )
    file = place / f"{name}_1.0_all.deb"
    with tempfile.TemporaryDirectory() as tree:
        (Path(tree) / "DEBIAN").mkdir(mode=0o755)
        (Path(tree) / "DEBIAN" / "control").write_text(control)
        Path(tree).chmod(0o755)
        build = ["dpkg-deb", "--root-owner-group", "-Znone", "--build", tree, str(file)]
        subprocess.run(build, check=True, capture_output=True)
    data = file.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return f"{control}Filename: ./{file.name}\nSize: {len(data)}\nSHA256: {digest}\n"
