"""Every draft's references, resolved, and complaints about those that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from castoff.builder.assets.draft import Draft
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.references.reference import Reference
from castoff.builder.assets.references.resolve import target
from castoff.builder.assets.references.scanner import Scanner
from castoff.builder.assets.text import line_of

_MOST_SHOWN = 20


@dataclass(frozen=True)
class Linked:
    """A draft with its references.

    Attributes:
        draft: The draft.
        text: The text that the references count in; "" where there are none.
        links: The references to assets, in order, each with the logical name of its target.
    """

    draft: Draft
    text: str
    links: tuple[tuple[Reference, str], ...]


def link(
    drafts: Mapping[str, Draft], base_url: str, scanner: Scanner
) -> tuple[dict[str, Linked], list[str]]:
    """Find and resolve the references of every draft that is not final.

    Returns:
        The drafts with their references, and warnings about source maps that are not there.

    Raises:
        AssetError: References name files that are no assets; all of them are told at once.
    """
    linked: dict[str, Linked] = {}
    missing: list[tuple[Draft, Reference, str]] = []
    for name, draft in drafts.items():
        text, references = ("", []) if draft.final else scanner.references(name, draft.data)
        links = []
        for reference in references:
            found = target(reference.url, name, base_url=base_url, base=reference.base)
            if found is None:
                continue
            if found in drafts:
                links.append((reference, found))
            elif reference.need != "link":
                missing.append((draft, reference, found))
        linked[name] = Linked(draft, text if links else "", tuple(links))
    maps = [one for one in missing if one[1].need == "source-map"]
    errors = [one for one in missing if one[1].need == "asset"]
    if errors:
        raise _complaint(errors, scanner)
    return linked, [f"{draft.origin}: its source map {name} is missing" for draft, _, name in maps]


def _complaint(missing: list[tuple[Draft, Reference, str]], scanner: Scanner) -> AssetError:
    lines = [_line(draft, reference.url, scanner) for draft, reference, _ in missing]
    told = [
        f"{_place(draft, line)}: it names {reference.url}{_within(draft, line)}, "
        f"and there is no {name}"
        for (draft, reference, name), line in zip(missing, lines, strict=True)
    ]
    first, *rest = list(_limited(told))
    draft = missing[0][0]
    message = first.removeprefix(f"{_place(draft, lines[0])}: ")
    return AssetError(
        "\n".join((message, *rest)),
        file=draft.origin,
        line=None if _is_compiled(draft) else lines[0],
        hint="Add the files, correct the names, or exclude the files that name them.",
    )


def _is_compiled(draft: Draft) -> bool:
    return draft.origin != draft.name


def _place(draft: Draft, line: int | None) -> str:
    return draft.origin if line is None or _is_compiled(draft) else f"{draft.origin}:{line}"


def _within(draft: Draft, line: int | None) -> str:
    """Return where in what was made of a source: no line of its own is known."""
    if not _is_compiled(draft):
        return ""
    return f" in {draft.name}, which is made of it" + ("" if line is None else f", line {line}")


def _line(draft: Draft, url: str, scanner: Scanner) -> int | None:
    """Return the line of a URL in what was written, since a minified file has but one."""
    text, references = scanner.references(draft.name, draft.written)
    return next((line_of(text, one.start) for one in references if one.url == url), None)


def _limited(told: list[str]) -> Iterator[str]:
    yield from told[:_MOST_SHOWN]
    if len(told) > _MOST_SHOWN:
        yield f"and {len(told) - _MOST_SHOWN} more"
