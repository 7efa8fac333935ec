"""Final names that hold digests, with every reference rewritten to them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

from castoff.builder.assets.collect import matches
from castoff.builder.assets.draft import Draft
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.graph import groups
from castoff.builder.assets.links import Linked, link
from castoff.builder.assets.names import hashed, integrity
from castoff.builder.assets.origins import Origins
from castoff.builder.assets.references.reference import Reference
from castoff.builder.assets.references.resolve import moved, renamed
from castoff.builder.assets.references.scanner import Scanner
from castoff.store import canonical
from castoff.store.digest import sha256


@dataclass(frozen=True)
class Named:
    """An asset with its final name and bytes.

    Attributes:
        name: Its logical name.
        path: Its final name.
        data: Its bytes, references rewritten.
    """

    name: str
    path: str
    data: bytes


def fingerprint(
    drafts: Sequence[Draft],
    *,
    base_url: str,
    unhashed: Sequence[str],
    scanner: Scanner,
    origins: Origins | None = None,
) -> tuple[list[Named], list[str]]:
    """Name every asset by its content.

    A file's digest covers the names of the files that it refers to, so these come first. Files
    that refer to each other in a cycle get digests that cover the whole group.

    Where assets are served by another host, files that keep their names name them by whole URLs:
    pages lie elsewhere, on the site's own host.

    Args:
        drafts: All assets.
        base_url: Where they are served.
        unhashed: Globs of logical names that stay as they are.
        scanner: Finds references.
        origins: Knows the lines of what was compiled; None where nothing was.

    Returns:
        The assets in the order of the drafts, and warnings.

    Raises:
        AssetError: A reference leads nowhere, a file cannot be read, or a cycle asks for digests
            of itself (`integrity`).
    """
    linked, warnings = link({draft.name: draft for draft in drafts}, base_url, scanner, origins)
    fixed = {d.name for d in drafts if d.final or matches(d.name, unhashed)}
    done: dict[str, Named] = {
        d.name: Named(d.name, d.name, d.data)
        for d in drafts
        if d.name in fixed and not linked[d.name].links
    }
    # A name that is fixed can be written before its file is done; its digest cannot.
    edges = {
        name: {to for ref, to in one.links if to not in fixed or ref.integrity}
        for name, one in linked.items()
    }
    apart = base_url if urlsplit(base_url).netloc else None
    for group in groups(edges):
        is_cycle = len(group) > 1 or group[0] in edges[group[0]]
        names = {name: name for name in fixed} | {one.name: one.path for one in done.values()}
        names |= _names_of_cycle(group, linked, names, fixed) if is_cycle else {}
        # In a cycle, whoever holds another's digest comes after it.
        for name in sorted(group, key=lambda name: _holds_digests(linked[name])):
            if name in done:
                continue
            elsewhere = apart if name in fixed else None
            data = _rewrite(
                linked[name],
                names,
                lambda to: _digest_of(done, to),
                partial(_base_of, fixed, elsewhere),
            )
            path = names.get(name) or hashed(name, sha256(data))
            done[name] = Named(name, path, data)
    return [done[draft.name] for draft in drafts], warnings


def _base_of(fixed: set[str], elsewhere: str | None, name: str) -> str | None:
    return None if name in fixed else elsewhere


def _names_of_cycle(
    group: list[str], linked: Mapping[str, Linked], names: Mapping[str, str], fixed: set[str]
) -> dict[str, str]:
    """Return the members' names, each from the digest of all with their logical names in them."""
    logical = {**names, **{name: name for name in group}}
    content = [
        [name, sha256(_rewrite(linked[name], logical, lambda _: "integrity"))] for name in group
    ]
    return {
        name: hashed(name, sha256(canonical.dumps([name, content])))
        for name in group
        if name not in fixed
    }


def _holds_digests(one: Linked) -> bool:
    return any(reference.integrity for reference, _ in one.links)


def _digest_of(done: Mapping[str, Named], name: str) -> str:
    if name not in done:
        raise AssetError(
            f"an integrity attribute asks for the digest of {name}, which refers back to it",
            file=name,
            hint="Take the attribute away, or break the cycle.",
        )
    return integrity(done[name].data)


def _rewrite(
    one: Linked,
    names: Mapping[str, str],
    digest: Callable[[str], str],
    base: Callable[[str], str | None] = lambda _: None,
) -> bytes:
    """Return a draft's bytes with its references changed; the draft's own where none changes.

    `base` says below which URL a file lies that is to be named by a whole one; None for others.
    """
    pieces: list[str] = []
    position = 0
    for reference, to in one.links:
        new = digest(to) if reference.integrity else _new_url(reference, names[to], base(to))
        if new is not None:
            pieces += (one.text[position : reference.start], reference.escape(new))
            position = reference.end
    if not pieces:
        return one.draft.data
    return "".join((*pieces, one.text[position:])).encode()


def _new_url(reference: Reference, name: str, base_url: str | None) -> str | None:
    url = reference.url
    new = renamed(url, name) if base_url is None else moved(url, name, base_url)
    return None if new == reference.url else new
