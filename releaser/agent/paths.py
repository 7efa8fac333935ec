"""Which paths may be written below a release's directory."""

from __future__ import annotations

from .errors import AgentError
from .index import Index

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .columns import Links

_MOST_PART = 255
_MOST_PATH = 4000
# As many as Linux follows for one path.
_MOST_FOLLOWED = 40


def check_path(path: object) -> str:
    """Return a relative path that stays where it is put.

    Raises:
        AgentError: `invalid`: it is absolute, empty or too long, or holds NUL, `.`, `..`, an
            empty part or something that is not Unicode.
    """
    if not isinstance(path, str):
        raise AgentError("invalid", f"not a path: {path!r}")
    try:
        data = path.encode()
    except UnicodeEncodeError:
        raise AgentError("invalid", f"not a path in Unicode: {path!r}") from None
    # Without a look at each part, of which a release has tens of thousands: bounded by slashes,
    # an empty part is two of them in a row.
    bounded = b"/" + data + b"/"
    if (
        b"//" in bounded
        or b"/./" in bounded
        or b"/../" in bounded
        or b"\0" in data
        or len(data) > _MOST_PATH
        or (len(data) > _MOST_PART and max(map(len, data.split(b"/"))) > _MOST_PART)
    ):
        raise AgentError("invalid", f"not a path inside a release: {path[:200]!r}")
    return path


def parent(path: str) -> str:
    """Return the directory that holds `path`, empty for the top."""
    return path.rpartition("/")[0]


def check_links(links: Links) -> None:
    """Make sure that no symbolic link leads out of the tree, not even by way of another one.

    Args:
        links: All links of the tree; paths and targets are untrusted text.

    Raises:
        AgentError: `invalid`, naming the link.
    """
    target_of = _target_of(links)
    for path, target in links:
        if not _stays_inside(path, target_of):
            raise AgentError(
                "invalid", f"a link of the release leads out of it: {path!r} -> {target[:200]!r}"
            )


def _target_of(links: Links) -> Callable[[str], str | None]:
    if not links.paths.many:
        return dict(zip(links.paths, links.targets)).get
    index = Index(links.paths)

    def target_of(path: str) -> str | None:
        row = index.find(path)
        return None if row < 0 else links.targets[row]

    return target_of


def _stays_inside(path: str, target_of: Callable[[str], str | None]) -> bool:
    """Follow a link as the kernel would, through the tree's own links."""
    here: list[str] = []
    left = path.split("/")[::-1]
    followed = 0
    while left:
        part = left.pop()
        if part in ("", "."):
            continue
        if part == "..":
            if not here:
                return False
            here.pop()
            continue
        here.append(part)
        target = target_of("/".join(here))
        if target is None:
            continue
        followed += 1
        if followed > _MOST_FOLLOWED or not target or target.startswith("/") or "\0" in target:
            return False
        here.pop()
        left.extend(target.split("/")[::-1])
    return True
