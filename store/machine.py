"""What a machine can do to a program that runs on it, which then is not to blame."""

from __future__ import annotations

import errno

REFUSALS = frozenset(
    {
        errno.EACCES, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EMFILE, errno.ENAMETOOLONG,
        errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EROFS,
    }
)  # fmt: skip
