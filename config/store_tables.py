"""What castoff.toml says of where artifacts are kept, and of whose signatures count."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from castoff.config.outline import DEFAULT_STORE
from castoff.config.table import Checksums, RelativePath, Table, Text


class StoreSettings(Table):
    """`[store]`: where artifacts, channels, leases and history are kept."""

    # file:///absolute, file://relative/to/castoff.toml, or s3://bucket/prefix.
    url: Text = DEFAULT_STORE
    # For S3-compatible stores other than AWS.
    endpoint_url: Text | None = None
    region: Text | None = None
    # Named profile of the AWS configuration; keys never stand in this file.
    profile: Text | None = None
    # Bucket in the path instead of the host name; default: only with endpoint_url.
    path_style: bool | None = None
    # Digest that the server is told of what it gets; md5 is for servers that know no other.
    checksums: Checksums = "sha256"
    # Seconds that a host's download URL is valid.
    url_expires: Annotated[int, Field(ge=60, le=604_800)] = 3_600
    # From how many of the last good releases `castoff push` makes patches.
    patches: Annotated[int, Field(ge=0, le=20)] = 3
    # Seconds that a bucket's server may be silent; a request is tried three times.
    timeout: Annotated[float, Field(gt=0, le=3_600)] = 20


class Signing(Table):
    """`[signing]`: who signs what is built here, and whose signatures count."""

    # Private SSH key that `castoff build` signs with, or the public half of one that the SSH agent
    # or a hardware key holds; default: nothing is signed.
    key: Text | None = None
    # Allowed signers file (ssh-keygen(1)), kept in the repository.
    signers: RelativePath = "castoff.signers"
