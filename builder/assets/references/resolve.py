"""Which asset a URL names, and the same URL with the asset's new name."""

from __future__ import annotations

from urllib.parse import quote, unquote, urljoin, urlsplit

# Stands for the unknown host of a `base_url` that is only a path; no real host ends so.
_NOWHERE = "https://castoff.invalid"


def target(url: str, source: str, *, base_url: str, base: str | None = None) -> str | None:
    """Return the logical name that a URL means.

    Args:
        url: As written.
        source: Logical name of the file that holds it.
        base_url: Where the assets are served.
        base: The page's own `<base href>`, where it has one.

    Returns:
        None for what is no asset: fragments, `data:` and other schemes, other hosts, paths outside
        `base_url`, folders.
    """
    url = url.strip()
    path = url.partition("#")[0].partition("?")[0]
    if not path or path.endswith("/"):
        return None
    root = urljoin(_NOWHERE, base_url)
    here = urljoin(root, quote(source))
    if base is not None:
        here = urljoin(here, base)
    try:
        full = urlsplit(urljoin(here, url))
    except ValueError:
        return None
    whole = f"{full.scheme}://{full.netloc}{full.path}"
    if not whole.startswith(root):
        return None
    return unquote(whole.removeprefix(root)) or None


def renamed(url: str, name: str) -> str:
    """Return a URL with the last part of its path exchanged for that of `name`.

    Folder, query and fragment stay as written: only files are renamed, never moved.
    """
    end = min((i for i in (url.find("?"), url.find("#")) if i >= 0), default=len(url))
    path, rest = url[:end], url[end:]
    folder, slash, last = path.rpartition("/")
    new = name.rpartition("/")[2]
    return f"{folder}{slash}{quote(new) if '%' in last else new}{rest}"


def moved(url: str, name: str, base_url: str) -> str:
    """Return a URL of the file `name` below `base_url`, with the query and fragment of `url`."""
    end = min((i for i in (url.find("?"), url.find("#")) if i >= 0), default=len(url))
    return f"{base_url}{quote(name)}{url[end:]}"
