"""The least rights that each part needs on a bucket, as policies of AWS's IAM.

Their grammar is the IAM user guide's ("IAM JSON policy reference"); which action a request needs is
listed in the S3 user guide ("Required permissions for Amazon S3 API operations").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from castoff.store import keys
from castoff.store.open import split_s3

Role = Literal["builder", "releaser", "host", "collector"]

_READ = ("s3:GetObject",)
_WRITE = ("s3:PutObject",)
_PARTS = ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts")
_DELETE = ("s3:DeleteObject",)
_CLOUDFRONT = (
    "cloudfront:CreateInvalidation",
    "cloudfront:GetInvalidation",
    "cloudfront:GetDistribution",
    "cloudfront:GetDistributionConfig",
    "cloudfront:UpdateDistribution",
)


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket and a prefix in it.

    Attributes:
        partition: `aws`, `aws-cn` or `aws-us-gov`.
        prefix: Ends in a slash, or is empty.
    """

    name: str
    prefix: str
    partition: str = "aws"

    @classmethod
    def at(cls, url: str, *, partition: str = "aws") -> Bucket:
        """Return what an `s3://` URL names.

        Raises:
            UsageError: It names no bucket.
        """
        name, prefix = split_s3(url)
        return cls(name, f"{prefix}/" if prefix else "", partition)

    @property
    def arn(self) -> str:
        """The bucket's name as policies spell it."""
        return f"arn:{self.partition}:s3:::{self.name}"

    def below(self, *places: str) -> list[str]:
        """Return the names of objects at these places, which may hold `*`."""
        return [f"{self.arn}/{self.prefix}{place}" for place in places]


@dataclass(frozen=True, slots=True)
class SiteBucket:
    """The bucket of an environment's site.

    Attributes:
        distribution: Identifier of the CloudFront distribution in front; None without one.
        collected: Whether assets pile up there, for the collector to remove.
    """

    bucket: Bucket
    distribution: str | None
    collected: bool

    @property
    def arn(self) -> str:
        """The distribution's name as policies spell it, of whichever account."""
        return f"arn:{self.bucket.partition}:cloudfront::*:distribution/{self.distribution}"


def policy(
    role: Role,
    app: str,
    store: Bucket,
    *,
    place: Bucket | None = None,
    cors: bool = False,
    sites: Sequence[SiteBucket] = (),
) -> dict[str, Any]:
    """Return the policy document for a role.

    Args:
        role: `builder` pushes; `releaser` releases, and its URLs are what hosts fetch by; `host`
            is for hosts that fetch by rights of their own; `collector` runs `castoff gc`.
        app: The app.
        store: The store.
        place: Where the app's public files go; None where it has no CDN.
        cors: Whether a push sees to the bucket's CORS rules.
        sites: Sites of the app's environments, which the releaser publishes.
    """
    statements = {
        "builder": _builder,
        "releaser": _releaser,
        "host": _host,
        "collector": _collector,
    }[role](app, store)
    on_files = {"builder": ("Publish", _WRITE), "collector": ("RemovePublic", _DELETE)}.get(role)
    if place is not None and on_files is not None:
        name, actions = on_files
        statements.append(_may("ListPublic", ("s3:ListBucket",), [place.arn]))
        statements.append(_may(name, actions, place.below("*")))
    if role == "builder" and place is not None and cors:
        statements.append(_may("Cors", ("s3:GetBucketCORS", "s3:PutBucketCORS"), [place.arn]))
    if role == "releaser":
        statements += _sites(sites)
    emptied = [site for site in sites if site.collected]
    if role == "collector" and emptied:
        statements += [
            _may("ListSites", ("s3:ListBucket",), _buckets(emptied)),
            _may("RemoveFromSites", _DELETE, _objects(emptied)),
        ]
    return {"Version": "2012-10-17", "Statement": statements}


def _sites(sites: Sequence[SiteBucket]) -> list[dict[str, Any]]:
    if not sites:
        return []
    found = [
        _may("ListSites", ("s3:ListBucket",), _buckets(sites)),
        _may("PublishSites", (*_READ, *_WRITE, *_DELETE), _objects(sites)),
    ]
    distributions = sorted({site.arn for site in sites if site.distribution is not None})
    if distributions:
        found.append(_may("TellCloudFront", _CLOUDFRONT, distributions))
    return found


def _buckets(sites: Sequence[SiteBucket]) -> list[str]:
    return sorted({site.bucket.arn for site in sites})


def _objects(sites: Sequence[SiteBucket]) -> list[str]:
    return sorted({name for site in sites for name in site.bucket.below("*")})


def _builder(app: str, store: Bucket) -> list[dict[str, Any]]:
    artifacts = f"{keys.artifacts(app)}*"
    return [
        *_listing(store),
        _may("Push", (*_READ, *_WRITE, *_PARTS), store.below(artifacts, keys.condemned(app))),
        # From which releases patches are worth their making; nothing else of an environment.
        _may(
            "SeeGood",
            _READ,
            store.below(*(f"{keys.environments(app)}*/{n}" for n in ("channel.json", "history/*"))),
        ),
        _probe(store),
    ]


def _releaser(app: str, store: Bucket) -> list[dict[str, Any]]:
    written = (f"{keys.environments(app)}*", keys.condemned(app))
    return [
        *_listing(store),
        _may("Read", _READ, store.below(f"{app}/*")),
        _may("Record", _WRITE, store.below(*written)),
        _may(
            "KeepBackups",
            (*_DELETE, *_PARTS),
            store.below(f"{keys.environments(app)}*/backups/*"),
        ),
        _probe(store),
    ]


def _host(app: str, store: Bucket) -> list[dict[str, Any]]:
    return [_may("Fetch", _READ, store.below(f"{keys.artifacts(app)}*"))]


def _collector(app: str, store: Bucket) -> list[dict[str, Any]]:
    return [
        *_listing(store),
        _may("Read", _READ, store.below(f"{app}/*")),
        _may("Condemn", _WRITE, store.below(keys.condemned(app))),
        _may(
            "Remove", (*_DELETE, "s3:AbortMultipartUpload"), store.below(f"{keys.artifacts(app)}*")
        ),
        _probe(store),
    ]


def _listing(store: Bucket) -> list[dict[str, Any]]:
    """Return leave to list the bucket, whole: S3 calls a missing object forbidden to others."""
    return [_may("List", ("s3:ListBucket", "s3:ListBucketMultipartUploads"), [store.arn])]


def _probe(store: Bucket) -> dict[str, Any]:
    return _may("Probe", (*_READ, *_WRITE, *_DELETE), store.below(".castoff/probe/*"))


def _may(name: str, actions: tuple[str, ...], resources: list[str]) -> dict[str, Any]:
    return {"Sid": name, "Effect": "Allow", "Action": list(actions), "Resource": resources}
