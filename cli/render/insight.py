"""What `inspect` and `diff` show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

import typer

from castoff.cli.render.few import few
from castoff.cli.render.sizes import size
from castoff.cli.render.tables import print_table
from castoff.store.counted import counted
from castoff.store.difference import Change, Difference
from castoff.store.file_kinds import Asset, is_asset, list_assets
from castoff.store.filetable import File
from castoff.store.find import Found
from castoff.store.packages import Group
from castoff.store.sshsig import fingerprint, read_envelope

_MOST_GROUPS = 15
_MOST_FILES = 10
_COPIES = ("br", "gz", "zst")


def inspect_json(found: Found, groups: Sequence[Group], *, every_file: bool) -> dict[str, Any]:
    """Return all that is known of a version; sizes in bytes."""
    files = found.table.files if every_file else _biggest(found)
    return {
        "origin": found.origin,
        "manifest": found.manifest.model_dump(mode="json", by_alias=True),
        "signed_by": _signed_by(found),
        "files": len(found.table.files),
        "directories": len(found.table.directories),
        "links": len(found.table.links),
        "members": len(found.table.members),
        "packages": [
            {"name": group.name, "version": group.version, "files": group.files, "size": group.size}
            for group in groups
        ],
        "assets": [asdict(asset) for asset in _assets(found)],
        "all_files" if every_file else "biggest_files": [
            {
                "path": file.path,
                "size": file.size,
                "executable": file.executable,
                "sha256": file.sha256,
            }
            for file in files
        ],
    }


def print_inspection(found: Found, groups: Sequence[Group], *, every_file: bool) -> None:
    """Print what a version is, for a person."""
    for name, value in _facts(found):
        typer.echo(f"{name:<13}{value}")
    manifest = found.manifest
    if manifest.pruned.files:
        left_out = f"{manifest.pruned.files} files with {size(manifest.pruned.size)}"
        typer.echo(f"{'left out':<13}{left_out} of dependencies")
    if manifest.dependencies:
        typer.echo("\ndependencies")
        for dependency in manifest.dependencies:
            typer.echo(f"  {dependency.name} {dependency.version}")
    typer.echo("")
    shown = groups if every_file else groups[:_MOST_GROUPS]
    print_table(
        ("size", "files", "package"),
        [
            (size(group.size), str(group.files), f"{group.name} {group.version}".strip())
            for group in shown
        ],
    )
    if len(shown) < len(groups):
        rest = groups[len(shown) :]
        total = sum(group.size for group in rest)
        typer.echo(f"and {len(rest)} more packages with {size(total)}")
    typer.echo("")
    if assets := _assets(found):
        _print_assets(assets, every=every_file)
    if every_file:
        print_table(
            ("size", "mode", "sha256", "file"),
            [
                (size(f.size), "755" if f.executable else "644", f.sha256[:12], f.path)
                for f in found.table.files
            ],
        )
    else:
        print_table(("size", "biggest files"), [(size(f.size), f.path) for f in _biggest(found)])


def _print_assets(assets: Sequence[Asset], *, every: bool) -> None:
    shown = assets if every else sorted(assets, key=lambda one: (-one.size, one.name))[:_MOST_FILES]
    title = "asset" if every else "biggest assets"
    print_table(
        ("size", *_COPIES, title),
        [
            (
                size(one.size),
                *(size(one.copies[kind]) if kind in one.copies else "-" for kind in _COPIES),
                one.path if every else one.name,
            )
            for one in shown
        ],
    )
    if len(shown) < len(assets):
        total = size(sum(one.size for one in assets))
        typer.echo(f"of {len(assets)} assets with {total}; --files lists all")
    typer.echo("")


def print_difference(changes: Difference) -> None:
    """Print what changes from one version to another, for a person."""
    typer.echo(f"{changes.old} -> {changes.new}")
    if changes.same_tree:
        typer.echo("the trees are the same, file by file")
    for title, group in (
        ("target", changes.target),
        ("dependencies", changes.dependencies),
        ("entry points", changes.entry_points),
        ("format", () if changes.format is None else (changes.format,)),
    ):
        if group:
            typer.echo(f"\n{title}")
            for change in group:
                typer.echo(f"  {_change(change)}")
    if changes.to_migrate:
        typer.echo(f"\nmigrations to run: {few(changes.to_migrate)}")
    for name, why in changes.no_way_back:
        typer.echo(f"  no way back over {name}, which {changes.old} may not live with: {why}")
    others = [file for file in changes.files if not is_asset(file.path)]
    for title, files in (
        ("asset", changes.assets),
        ("migration", changes.migrations),
        ("file", others),
    ):
        if files:
            typer.echo("")
            print_table(
                ("", title, "was", "is"),
                [(f.what, f.path, size(f.old_size), size(f.new_size)) for f in files],
            )
    fetch = changes.fetch
    growth = changes.tree_growth
    typer.echo(
        f"\n{len(changes.files)} files differ; the tree "
        f"{'grows' if growth >= 0 else 'shrinks'} by {size(abs(growth))}.\n"
        f"A host that has {changes.old} lacks {size(fetch.size)} of the archive's "
        f"{size(fetch.archive_size)}, in {counted(fetch.ranges, 'range')}."
    )


def _facts(found: Found) -> Iterator[tuple[str, str]]:
    manifest = found.manifest
    when = datetime.fromtimestamp(manifest.source.time, tz=timezone.utc)
    target = manifest.target
    yield "version", f"{manifest.app} {manifest.version} ({manifest.format})"
    yield "from", found.origin
    dirty = ", with changes that were not committed" if manifest.source.dirty else ""
    yield "commit", f"{manifest.source.commit} ({manifest.source.ref}){dirty}"
    yield "time", when.strftime("%Y-%m-%d %H:%M:%S UTC")
    free = "t" if target.abi.endswith("t") else ""
    python = f"{target.python}{free}{' exactly' if target.exact_python else ''}"
    asked = f" ({target.requires_python})" if target.requires_python else ""
    machine = target.machine or "any machine"
    libc = f", glibc {target.glibc} or newer" if target.glibc else ""
    libc += f", musl {target.musl} or newer" if target.musl else ""
    # A static site needs none.
    needs = f"Python {python}{asked}, " if python else ""
    yield "target", f"{needs}{machine}{libc}"
    yield "archive", f"{size(manifest.archive.size)}, sha256 {manifest.archive.sha256}"
    yield "tree", f"{size(manifest.tree_size)}, sha256 {manifest.tree_sha256}"
    table = found.table
    links = f", {len(table.links)} links" if table.links else ""
    yield "files", f"{len(table.files)} in {len(table.directories)} directories{links}"
    yield "entry points", " ".join(manifest.entry_points) or "-"
    yield "built with", " ".join(f"{k} {v}" for k, v in sorted(manifest.tools.items())) or "-"
    yield "signed by", _signed_by(found) or "nobody"


def _signed_by(found: Found) -> str:
    """Return the fingerprint that a signature bears; `castoff verify` says what it is worth."""
    if found.signature is None:
        return ""
    try:
        return fingerprint(read_envelope(found.signature).public_key)
    except ValueError as error:
        return f"an unreadable signature ({error})"


def _assets(found: Found) -> tuple[Asset, ...]:
    return list_assets({file.path: file.size for file in found.table.files})


def _biggest(found: Found) -> list[File]:
    return sorted(found.table.files, key=lambda file: (-file.size, file.path))[:_MOST_FILES]


def _change(change: Change) -> str:
    if change.old is None:
        return f"+ {change.name} {change.new}".rstrip()
    if change.new is None:
        return f"- {change.name} {change.old}".rstrip()
    return f"  {change.name} {change.old or '(none)'} -> {change.new or '(none)'}"
