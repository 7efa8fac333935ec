"""Whether a tree's symbolic links stay inside it, wherever the tree lies."""

from __future__ import annotations

from collections.abc import Mapping

# As many as Linux follows for one path; hosts refuse what goes beyond.
_MOST_FOLLOWED = 40


def leaves(path: str, targets: Mapping[str, str]) -> bool:
    """Say whether following a link leads out of the tree, or round in a circle.

    Args:
        path: Of the link.
        targets: Target of each link of the tree by its path; a link may lead through others.
    """
    here: list[str] = []
    ahead = path.split("/")[::-1]
    followed = 0
    while ahead:
        part = ahead.pop()
        if part == ".." and not here:
            return True
        if part == "..":
            here.pop()
        elif part not in ("", "."):
            here.append(part)
            target = targets.get("/".join(here))
            if target is not None:
                followed += 1
                if target.startswith("/") or followed > _MOST_FOLLOWED:
                    return True
                here.pop()
                ahead.extend(target.split("/")[::-1])
    return False
