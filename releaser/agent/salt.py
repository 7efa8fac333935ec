"""Names for things that hold secrets: they tell contents apart, and say nothing of them."""

from __future__ import annotations

import hmac
import os

from .durable import sync_folder
from .errors import not_readable
from .placed import Placed, place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .layout import Layout

_LENGTH = 16


def private_name(layout: Layout, content: bytes) -> str:
    """Return a name for a content, the same each time on one host.

    Names are for everybody to see, and a secret may be easy to guess: so they hang on a number that
    only the host knows.

    Raises:
        AgentError: `permission`: the number is another user's.
        OSError: It could not be read or written.
    """
    return hmac.new(_salt(layout), content, "sha256").hexdigest()[:_LENGTH]


def _salt(layout: Layout) -> bytes:
    try:
        with open(layout.salt, "rb") as file:
            return file.read()
    except PermissionError as error:
        raise not_readable(layout.salt) from error
    except FileNotFoundError:
        made = os.urandom(_LENGTH)
    place(layout.salt, Placed(made, 0o600, None, None), os.path.join(layout.staging, "salt"))
    sync_folder(layout.meta)
    return made
