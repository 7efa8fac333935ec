"""What a build that is refused says, and leaves: nothing."""

from __future__ import annotations

from pathlib import Path

from castoff.store.errors import ExitCode
from support.site import Site


def leftovers(site: Site) -> list[str]:
    """Return what builds have left in artifacts/ and among the temporary files."""
    places = (site.folder / "artifacts", Path(site.variables["TMPDIR"]))
    return [path.name for place in places if place.is_dir() for path in place.iterdir()]


def refused(site: Site, code: ExitCode, *words: str) -> str:
    """Build, and see it refused as it should be; return what was said."""
    outcome = site.castoff("build", "--version", "1.0", *words)
    assert outcome.code == code, outcome.err
    assert outcome.err.count("castoff: ") == 1
    assert outcome.err.count("  -> ") >= 1
    assert outcome.out == ""
    assert leftovers(site) == []
    return outcome.err
