"""Every draft's references, resolved, and complaints about those that lead nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from castoff.builder.assets.draft import Draft
from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.origins import Origins
from castoff.builder.assets.references.reference import Reference
from castoff.builder.assets.references.resolve import target
from castoff.builder.assets.references.scanner import Scanner
from castoff.builder.assets.text import column_of, line_of

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
    drafts: Mapping[str, Draft],
    base_url: str,
    scanner: Scanner,
    origins: Origins | None = None,
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
        raise _complaint(errors, scanner, origins)
    return linked, [f"{draft.origin}: its source map {name} is missing" for draft, _, name in maps]


@dataclass(frozen=True)
class _Missing:
    """A reference that leads nowhere, as it is told.

    Attributes:
        file: The file that a person has written.
        line: The line in it; None where it is not known.
        message: What is wrong there.
    """

    file: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.message}"


def _complaint(
    missing: list[tuple[Draft, Reference, str]], scanner: Scanner, origins: Origins | None
) -> AssetError:
    seen: Counter[tuple[str, str]] = Counter()
    told = []
    for draft, reference, name in missing:
        number = seen[draft.name, reference.url]
        seen[draft.name, reference.url] += 1
        place = _place(draft, reference.url, number, scanner)
        told.append(_told(draft, reference.url, name, place, origins))
    first = told[0]
    lines = list(_limited([str(one) for one in dict.fromkeys(told)]))
    return AssetError(
        "\n".join((first.message, *lines[1:])),
        file=first.file,
        line=first.line,
        hint="Add the files, correct the names, or exclude the files that name them.",
    )


def _told(
    draft: Draft, url: str, name: str, place: tuple[int, int] | None, origins: Origins | None
) -> _Missing:
    line = None if place is None else place[0]
    if draft.origin == draft.name:
        return _Missing(draft.origin, line, f"it names {url}, and there is no {name}")
    within = f" in {draft.name}, which is made of it"
    source = None if place is None or origins is None else origins.place(draft, *place)
    if source is not None:
        return _Missing(*source, f"it names {url}{within}, and there is no {name}")
    within += "" if line is None else f", line {line}"
    return _Missing(draft.origin, None, f"it names {url}{within}, and there is no {name}")


def _place(draft: Draft, url: str, number: int, scanner: Scanner) -> tuple[int, int] | None:
    """Return line and column of a URL in what was written, since a minified file has but one.

    `number` says which it is of several of one URL, from 0.
    """
    text, references = scanner.references(draft.name, draft.written)
    starts = [one.start for one in references if one.url == url]
    if not starts:
        return None
    start = starts[min(number, len(starts) - 1)]
    return line_of(text, start), column_of(text, start)


def _limited(told: list[str]) -> Iterator[str]:
    yield from told[:_MOST_SHOWN]
    if len(told) > _MOST_SHOWN:
        yield f"and {len(told) - _MOST_SHOWN} more"
