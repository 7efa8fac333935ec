"""The first stage: a name of a commit becomes a folder that holds exactly that commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from castoff.builder.commit import resolve
from castoff.builder.errors import SourceError
from castoff.builder.export import export
from castoff.builder.git import Git
from castoff.builder.uncommitted import uncommitted
from castoff.builder.version import derive, other_spelling
from castoff.builder.work_folder import SOURCE
from castoff.config.locks import LOCKS

_SUBMODULE = "160000"


@dataclass(frozen=True, slots=True)
class Exported:
    """A commit on disk.

    Attributes:
        top: The folder that holds the whole repository's content.
        folder: The app's folder in it.
        commit: The commit's full id.
        time: Source time, seconds since the epoch: SOURCE_DATE_EPOCH, else the commit's.
        version: What the build is called.
        warnings: What the user may not have meant, for a person.
    """

    top: Path
    folder: Path
    commit: str
    time: int
    version: str
    warnings: tuple[str, ...]


def export_source(
    repository: Path,
    app_path: str,
    *,
    ref: str,
    version: str | None,
    dirty: bool,
    work: Path,
    environment: Mapping[str, str],
) -> Exported:
    """Export one commit, or the working tree's tracked files, to `work`/source.

    Args:
        repository: The folder of castoff.toml: the repository's top, or below.
        app_path: The app's folder, relative to `repository`.
        ref: Which commit; for a dirty build, the one that the result is said to be built on.
        version: What the build shall be called; derived from the commit if None.
        dirty: Whether the working tree is exported instead of the commit.
        work: The build's own folder.
        environment: The caller's.

    Raises:
        SourceError: There is no such commit, no such folder or no file in it, or it cannot be
            exported.
        UsageError: The version could not be one.
    """
    here = Git(repository, environment)
    commit, checkout = resolve(here, ref)
    git = Git(checkout.top, environment)
    time = _source_time(environment, commit.time)
    place = (Path(checkout.prefix) / app_path).as_posix()
    # Not the commit: with `export-subst` git would write names of tags and branches into files.
    tree = f"{commit.sha}^{{tree}}"
    extra: Mapping[str, str] = {}
    if dirty:
        from castoff.builder.dirty import write_tree

        made = write_tree(git, work)
        tree, extra = made.sha, made.environment
    tracked = _list(git, tree, place, extra, ref=ref)
    name = derive(commit, given=version, dirty_tree=tree if dirty else "")
    top = work / SOURCE
    top.mkdir()
    export(git, tree, top, time=time, extra=extra)
    folder = top / place
    if not folder.is_dir():
        raise SourceError(
            f"{place} is not a folder in {ref} ({commit.sha[:10]})",
            hint="The app's `path` in castoff.toml is relative to that file; is it committed?",
        )
    found = (
        other_spelling(commit, given=version),
        None if dirty else uncommitted(git, commit, checkout, tracked=tracked),
        _lock_left_behind(git.folder / place, folder, ref),
    )
    warnings = tuple(warning for warning in found if warning is not None)
    return Exported(top, folder, commit.sha, time, name, warnings)


def _lock_left_behind(here: Path, exported: Path, ref: str) -> str | None:
    """Return a warning if there is a lock in the working tree, and none in what is built."""
    if any((exported / name).is_file() for name in LOCKS):
        return None
    left = next((name for name in LOCKS if (here / name).is_file()), None)
    return left and f"{left} is here and not in {ref}: git add {left}, and commit it"


def _source_time(environment: Mapping[str, str], commit_time: int) -> int:
    text = environment.get("SOURCE_DATE_EPOCH", "")
    if not text:
        return commit_time
    if not (text.isascii() and text.isdigit()):
        raise SourceError(
            f"SOURCE_DATE_EPOCH is not a number of seconds: {text!r}",
            hint="Unset it, or set it as https://reproducible-builds.org/specs/source-date-epoch/ "
            "says.",
        )
    return int(text)


def _list(git: Git, tree: str, place: str, extra: Mapping[str, str], *, ref: str) -> frozenset[str]:
    """Return the paths of all files in a tree, which must be some, and none a submodule's."""
    paths = []
    listing = git.run("ls-tree", "-r", "-z", "--full-tree", tree, extra=extra)
    if not listing:
        raise SourceError(
            f"{git.folder}: there is no file in {ref}",
            hint="Only what git tracks is built: `git add` the project's files, and commit them.",
        )
    for row in listing.decode(errors="surrogateescape").split("\0"):
        facts, _, path = row.partition("\t")
        paths.append(path)
        if facts.startswith(_SUBMODULE) and (place == "." or Path(path).is_relative_to(place)):
            raise SourceError(
                f"{path} is a git submodule: its files are in another repository",
                hint="Castoff builds one commit of one repository. Bring the files in "
                "(`git subtree add`), or depend on them as a package in the lock.",
            )
    return frozenset(paths)
