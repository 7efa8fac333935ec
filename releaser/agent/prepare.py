"""Bring a release to the host, whole and checked, beside what it serves.

Killed at any point, the next prepare begins again, but for what had come of the archive: until
the rename at the end nothing stands in `releases/`, and `current` is never touched. What is
served already, and was damaged, is made anew beside itself, and changes places with the damaged
one at one stroke.
"""

from __future__ import annotations

import os

from .ahead import ask_ahead
from .arrivals import Arrivals
from .current import read_current
from .durable import replace_link, sync_file_system, sync_folder
from .errors import AgentError, from_os_error
from .fetch import fetch
from .helpers import Helpers, spare_processors
from .here import files_here
from .index import in_order
from .lacking import lacking, saves, way_of, with_patch
from .layer_link import FOLDER, is_shared, link_to
from .layers import move_in, remove_unsealed, seal
from .links import make_links, plan_links, provide
from .manifest import Manifest
from .named_tuple import NamedTuple
from .overlap import Beside
from .pace import Pace
from .parts import parts_of
from .progress import Progress
from .records import write_records
from .reuse import Wanted, outlook, reusable
from .rights import parse_rights
from .same_layer import find_same_layer
from .space import BLOCK, require_for_release
from .swap import put_in_place
from .table import parse_table
from .table_told import table_document
from .trash import delete, discard_writable, empty_staging, empty_trash
from .tree import compare, no_file, tree_digest
from .unpack import Unpacking
from .writer import TreeWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, BinaryIO

    from .columns import Members
    from .here import Here
    from .layers import NewLayer
    from .layout import Layout
    from .messages import Channel
    from .offer import Offers
    from .parameters import Parameters
    from .parts import Parts
    from .patching import Patching
    from .table import Table

# Bytes to be unpacked for which another process is worth making.
_WORTH_HELP = 8 * 1024 * 1024


def prepare(
    layout: Layout, channel: Channel, parameters: Parameters, offers: Offers | None = None
) -> dict[str, Any]:
    """Make `releases/<version>` what the manifest says, or find that it is.

    Args:
        layout: The app's paths.
        channel: To the controller.
        parameters: Of the request.
        offers: Get what is fetched, for siblings, if there are any.

    Raises:
        AgentError: `fetch`, `corrupt`, `missing`, `no-space`, `permission`, `invalid`.
        Gone: The controller left before the release was put in place.
    """
    version = parameters.version("version")
    manifest = Manifest(parameters.text("manifest"), version)
    spool = os.path.join(layout.staging, _spool(manifest))
    ask_ahead(layout, channel, parameters, manifest, spool)
    wanted, document = _wanted(layout, parameters, manifest)
    interpreter = parameters.text_or_none("interpreter")
    rights = parse_rights(parameters.each_or_none("rights"))

    empty_staging(layout, spare=_spool(manifest))
    empty_trash(layout)
    remove_unsealed(layout)
    notes = reusable(
        layout,
        wanted,
        rehash=parameters.flag("verify"),
        exact=parameters.flag("exact"),
        replaceable=bool(parameters.each("sources")),
    )
    reused = notes is not None
    ways: dict[str, int] = {}
    layer: NewLayer | None = None
    if notes is None:
        try:
            ways, notes, layer = _build(layout, channel, wanted, parameters, offers)
        except (AgentError, OSError) as error:
            if offers is not None:
                offers.close_content()
            _make_room(layout, error)
            raise
        if read_current(layout) != version:
            discard_writable(layout, version)
        write_records(layout, version, manifest=manifest.data, table=document, links=wanted.shared)
    elif offers is not None:
        offers.close_content()
    notes += provide(layout, wanted.shared, version, rights)
    if interpreter is not None:
        replace_link(interpreter, os.path.join(layout.python, version), layout.staging)
        sync_folder(layout.python)
    if not reused:
        channel.check()
        sync_file_system(layout.root)
        if layer is not None:
            seal(layout, layer)
        put_in_place(layout, _tree(layout), version)
    return {
        "tree_sha256": manifest.tree_sha256,
        "fetched": sum(ways.values()),
        "ways": ways,
        "reused": reused,
        "notes": notes,
    }


def foresee(layout: Layout, channel: Channel, parameters: Parameters) -> dict[str, Any]:
    """Return what `prepare` would fetch, in which ways, and why a release here would not do.

    Raises:
        AgentError: `corrupt`: it would be refused. `invalid`.
        Gone: The controller left.
    """
    from .table_fetch import with_table_of_controller

    parameters = with_table_of_controller(channel, parameters)
    manifest = Manifest(parameters.text("manifest"), parameters.version("version"))
    wanted, _ = _wanted(layout, parameters, manifest)
    damage, usable = outlook(layout, wanted)
    if usable:
        return {"fetch": 0, "ways": {}, "damage": damage}
    damaged = None if damage is None else wanted.version
    parts = parts_of(layout, wanted, parameters, changing=False)
    own, size = parts.own, manifest.archive_size
    have = files_here(layout, own, without=damaged).have
    lacks = lacking(own, size, have)
    ways = {}
    patching = _cheapest_patch(layout, wanted, parameters, own, have, lacks.members)
    if patching is not None:
        ways["patch"] = patching.patch.size
        given = with_patch(own, have, patching.patch)
        lacks = lacking(own, size, given)
    if lacks.size:
        ways[way_of(lacks.size, size)] = lacks.size
    return {"fetch": sum(ways.values()), "ways": ways, "damage": damage}


def _wanted(
    layout: Layout, parameters: Parameters, manifest: Manifest
) -> tuple[Wanted, Iterable[bytes]]:
    """Return what a request wants to stand here, and the document of its file table in blocks."""
    version = manifest.version
    found = find_same_layer(layout, parameters, manifest)
    if found is not None:
        return found.wanted, (found.document,)
    document = table_document(layout, parameters, manifest)
    table = parse_table(document.blocks(), archive_size=manifest.archive_size)
    writable = parameters.texts_or_none("writable")
    configured = parameters.texts_or_none("configured")
    shared = plan_links(table, parameters.texts("shared"), writable, version, configured)
    return Wanted(version, manifest, table, shared), document.blocks()


class _Built(NamedTuple):
    """How a release was made.

    Attributes:
        ways: How many bytes came in each way that was taken: `patch`, `peer`, `ranges`,
            `archive`.
        notes: What to say of it.
        layer: The layer that was made of its dependencies, if one was.
    """

    ways: dict[str, int]
    notes: list[str]
    layer: NewLayer | None


def _build(
    layout: Layout,
    channel: Channel,
    wanted: Wanted,
    parameters: Parameters,
    offers: Offers | None,
) -> _Built:
    """Fetch and unpack into staging; on return the tree there is the one that is wanted."""
    manifest, table, tree = wanted.manifest, wanted.table, _tree(layout)
    pace = Pace(parameters.whole("max_rate", 0))
    parts = parts_of(layout, wanted, parameters)
    own, size = parts.own, manifest.archive_size
    here = files_here(layout, own)
    os.mkdir(tree, 0o755)
    spool = os.path.join(layout.staging, _spool(manifest))
    notes = parts.notes
    with _open_spool(spool) as file, TreeWriter(tree) as writer:
        already = os.fstat(file.fileno()).st_blocks * BLOCK
        fetched = lacking(own, size, here.have).size
        require_for_release(layout.root, own, max(fetched - already, 0))
        # Where nothing is copied, folders can wait until bytes are on their way.
        late = parameters.get("patch") is None and not any(here.have)
        if not late:
            _make_folders(own, parts, writer)
        have = _copy(own, here, writer, channel)
        del here
        lacks = lacking(own, size, have)
        arrivals = Arrivals(file, lacks.members)
        arrivals.take_up()
        patching = _cheapest_patch(layout, wanted, parameters, own, have, arrivals.left)
        if patching is not None:
            offer = None if offers is None else offers.patch
            patching.run(channel, pace, writer, _done(patching, own, have), offer)
            have = with_patch(own, have, patching.patch, patching.made)
            notes.extend(patching.complaints)
            lacks = lacking(own, size, have)
            arrivals = Arrivals(file, lacks.members)
            arrivals.take_up()
        elif offers is not None:
            offers.patch.close()
        if offers is not None:
            offers.archive.open(arrivals, file)

        unpacking = Unpacking(file, own, writer, arrivals, have)

        def work(report: Callable[[int], None]) -> None:
            if late:
                _make_folders(own, parts, writer)
            if parts.new is not None:
                _ = parts.new.words
            unpacking.run(report, helpers)

        count = spare_processors(len(own.files)) if lacks.content >= _WORTH_HELP else 0
        with Helpers(count, unpacking.part) as helpers:
            beside = Beside(arrivals, work, helpers.lessen)
            with beside:
                fetch(channel, parameters.each("sources"), arrivals, size, pace)
                beside.finish(Progress(channel, "unpack", lacks.content))
        make_links(wanted.shared, table, writer)
    delete(spool)
    layer = _attest(layout, wanted, parts, tree)
    return _Built(_ways(patching, arrivals, size), notes, layer)


def _make_folders(own: Table, parts: Parts, writer: TreeWriter) -> None:
    for path, _ in in_order(own.directories):
        writer.directory(path)
    if parts.layer is not None:
        writer.link(FOLDER, link_to(parts.layer))


def _attest(layout: Layout, wanted: Wanted, parts: Parts, tree: str) -> NewLayer | None:
    """Hold what was made against the manifest; return the layer that was made of it, if one was.

    What lies in that layer is looked at when it is sealed.

    Raises:
        AgentError: `corrupt`: it is not what the manifest says.
    """
    manifest, table = wanted.manifest, wanted.table
    proven, layer = parts.layer, None
    rest: Iterable[bytes] = () if wanted.rest is None else [wanted.rest.records]
    moved = None if parts.new is None else move_in(layout, parts.new, tree)
    if isinstance(moved, str):
        parts.notes.append(moved)
    elif moved is not None:
        layer, proven = moved, moved.name
        table, rest = moved.holds.beside, moved.holds.words.records.blocks()
    found = compare(tree, table, wanted.shared, layers=layout.layers, reads=no_file, proven=proven)
    attested = tree_digest(table, found.unlike, rest)
    if attested != manifest.tree_sha256:
        raise AgentError(
            "corrupt",
            f"the tree of {wanted.version} is {attested[:12]}, "
            f"the manifest says {manifest.tree_sha256[:12]}",
            "The artifact contradicts itself: build it again under a new version.",
        )
    return layer


def _done(patching: Patching, own: Table, have: bytearray) -> bytearray:
    """Return for each row of a patch whether it need not give it: it is here, or in a layer."""
    done = bytearray(b"\1") * len(patching.patch.new)
    for path, is_here in zip(own.files.paths, have):
        if not is_here:
            row = patching.patch.rows.find(path)
            if row >= 0:
                done[row] = False
    return done


def _ways(patching: Patching | None, arrivals: Arrivals, archive_size: int) -> dict[str, int]:
    ways: dict[str, int] = {}
    near = arrivals.from_peers
    if patching is not None:
        near += patching.from_peers
        ways["patch"] = patching.fetched - patching.from_peers
    if near:
        ways["peer"] = near
    if came := arrivals.fetched - arrivals.from_peers:
        ways[way_of(came, archive_size)] = came
    return ways


def _cheapest_patch(
    layout: Layout,
    wanted: Wanted,
    parameters: Parameters,
    own: Table,
    have: bytearray,
    left: Members,
) -> Patching | None:
    """Return the patch that a request offers, if this host can apply it and it costs less."""
    if parameters.get("patch") is None:
        return None
    from .patch import offered
    from .patching import Patching
    from .unzstd import find_unpacker

    rest = wanted.rest
    patch = offered(layout, parameters, wanted.table.files if rest is None else rest.files)
    if patch is not None and rest is not None and any(map(is_shared, patch.new.paths)):
        # From a release with other dependencies; what is in a layer is nothing to write to.
        patch = None
    if patch is None or not saves(patch, own, wanted.manifest.archive_size, have, left):
        return None
    folder = os.path.join(layout.staging, "patch")
    unpacker = find_unpacker(folder)
    return None if unpacker is None else Patching(patch, folder, unpacker)


def _spool(manifest: Manifest) -> str:
    """Return the name in staging of what has come of an archive, for a prepare that takes it up."""
    return f"archive.{manifest.archive_sha256}"


def _open_spool(path: str) -> BinaryIO:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return open(os.open(path, flags, 0o600), "r+b", buffering=0)


def _make_room(layout: Layout, error: AgentError | OSError) -> None:
    """Do not leave a disk full for the sake of a release that did not fit."""
    reason = from_os_error(error) if isinstance(error, OSError) else error
    if reason.code == "no-space":
        empty_staging(layout)


def _copy(own: Table, here: Here, writer: TreeWriter, channel: Channel) -> bytearray:
    """Copy what releases on this host have; return whose content was the right one, by row."""
    files = own.files
    report = Progress(channel, "copy", here.size)
    copied = bytearray(len(files))
    done = 0
    for row, place in here.places():
        file = files[row]
        copied[row] = writer.copy(file.path, place, file)
        done += file.size
        report(done)
    return copied


def _tree(layout: Layout) -> str:
    return os.path.join(layout.staging, "tree")
