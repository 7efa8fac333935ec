"""Write a tree as one file that any Python runs, made with shiv.

Shiv decides what is in a zipapp: its bootstrap, its environment.json, its `__main__.py`, and all
that is installed as one `site-packages/`. It writes its own parts in whatever order and with
whatever modes its installed files have, so its entries are written again in a fixed order, and with
them what else the tree holds. From the result the very same tree can be unpacked as from a tarball.
"""

from __future__ import annotations

import datetime as dt
import stat
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from castoff.builder.distributions import Distribution
from castoff.builder.errors import BuildError, SourceError
from castoff.builder.launchers import parse_reference
from castoff.builder.project import Project
from castoff.builder.rows import TreeFile
from castoff.builder.tree import Tree
from castoff.builder.zip_writer import Entry, write_zip
from castoff.store.filetable import File, FileTable
from castoff.store.places import INSTALLED, LIB, PROJECT

_INTERPRETER = "/usr/bin/env python3"
_SITE = "site-packages/"


def write_zipapp(
    tree: Tree, target: Path, *, reference: str, time: int, build_id: str, work: Path
) -> FileTable:
    """Write the archive; return its file table.

    Args:
        tree: What `walk` found.
        target: The file to write.
        reference: The function that it starts, `module:name`.
        time: Time of every entry, seconds since the epoch.
        build_id: Names the folder that shiv unpacks to on first start; no two different trees
            may share one.
        work: A folder for shiv's own file.

    Raises:
        BuildError: Shiv fails, or a file is no longer what `walk` found.
    """
    made = work / "shiv.pyz"
    wanted = {entry_name(file.path, tree): file for file in tree.files}
    _run_shiv(wanted, made, reference=reference, time=time, build_id=build_id)
    entries = _read(made)
    for name, file in wanted.items():
        entries[name] = Entry(tree.top / file.path, file.executable, file)
    shebang = f"#!{_INTERPRETER}\n".encode()
    places = write_zip(target, entries, shebang=shebang, moment=time)
    names = sorted(wanted, key=lambda name: places[name].offset)
    number = {wanted[name].path: index for index, name in enumerate(names)}
    return FileTable(
        members=tuple(places[name] for name in names),
        directories=tree.directories,
        files=tuple(
            File(f.path, f.executable, f.size, f.sha256, number[f.path], 0) for f in tree.files
        ),
        links=tree.links,
    )


def entry_name(path: str, tree: Tree) -> str:
    """Return the name in the zip of a file of the tree.

    Where both folders have a file, the project's is what Python finds, and so what shiv unpacks.
    """
    place, slash, inside = path.partition("/")
    if not slash or place not in INSTALLED:
        return path
    hidden = place == LIB and tree.file(f"{PROJECT}/{inside}") is not None
    return path if hidden else _SITE + inside


def choose_script(
    wanted: str | None, *, own: Sequence[str], installed: Sequence[Distribution]
) -> str:
    """Return the object reference of the console script that a zipapp starts.

    Args:
        wanted: Its name, as castoff.toml says; None means the project's only one.
        own: The names of the project's scripts.
        installed: All that is installed in the tree.

    Raises:
        SourceError: There is none, or several and none is named.
    """
    scripts = {name: ref for one in installed for name, ref in one.scripts().items()}
    if wanted is None and len(own) == 1:
        wanted = own[0]
    if wanted is None:
        raise _no_choice(own, sorted(scripts))
    reference = parse_reference(scripts.get(wanted, ""))
    if reference is None:
        raise SourceError(
            f"no console script is named {wanted!r}",
            hint=f"Installed are: {', '.join(sorted(scripts)) or 'none'}.",
        )
    return f"{reference[0]}:{'.'.join(reference[1])}"


def check_choice(wanted: str | None, project: Project | None, *, wheel: bool) -> None:
    """Find out before anything is installed, where it is known, that no script can be chosen.

    Args:
        wanted: The script's name, as castoff.toml says.
        project: What is in pyproject.toml.
        wheel: Whether the project's own wheel is built.

    Raises:
        SourceError: The project has no console script or several, and none is named.
    """
    own = project.scripts if wheel and project is not None else ()
    if wanted is None and own is not None and len(own) != 1:
        raise _no_choice(own, sorted(own))


def _no_choice(own: Sequence[str], known: Sequence[str]) -> SourceError:
    listed = f"has several ({', '.join(sorted(own))})" if own else "has none of its own"
    return SourceError(
        f"a zipapp starts one console script, and the project {listed}",
        hint="Name one with `entry_point` under [apps.NAME.build] in castoff.toml"
        + (f", such as {', '.join(known)}." if known else ": its own, or one of what it installs."),
    )


def _run_shiv(
    wanted: Mapping[str, TreeFile], made: Path, *, reference: str, time: int, build_id: str
) -> None:
    from shiv import __version__ as shiv_version  # type: ignore[import-untyped]
    from shiv.bootstrap.environment import Environment  # type: ignore[import-untyped]
    from shiv.builder import create_archive  # type: ignore[import-untyped]
    from shiv.constants import BUILD_AT_TIMESTAMP_FORMAT  # type: ignore[import-untyped]

    moment = dt.datetime.fromtimestamp(time, tz=dt.timezone.utc)
    environment = Environment(
        built_at=moment.strftime(BUILD_AT_TIMESTAMP_FORMAT),
        shiv_version=shiv_version,
        build_id=build_id,
        entry_point=reference,
        compile_pyc=False,
        reproducible=True,
        no_modify=True,
        # Shiv's command line would list them in the order of the file system.
        hashes={
            name.removeprefix(_SITE): file.sha256
            for name, file in sorted(wanted.items())
            if name.startswith(_SITE) and PurePosixPath(name).suffix == ".py"
        },
    )
    try:
        create_archive(
            # What it makes of them is not used.
            [],
            target=made,
            interpreter=_INTERPRETER,
            main="_bootstrap:bootstrap",
            env=environment,
            compressed=False,
        )
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise BuildError(f"could not make the zipapp: {error}", command="shiv") from error


def _read(made: Path) -> dict[str, Entry]:
    """Return what shiv wrote of its own."""
    with zipfile.ZipFile(made) as archive:
        return {
            info.filename: Entry(archive.read(info), executable=_executable(info))
            for info in archive.infolist()
        }


def _executable(info: zipfile.ZipInfo) -> bool:
    return bool((info.external_attr >> 16) & stat.S_IXUSR)
