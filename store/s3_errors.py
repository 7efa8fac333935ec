"""What an S3 server or botocore says, in words that name the place and what to do about it."""

from __future__ import annotations

from botocore import exceptions as boto
from botocore.exceptions import ClientError
from s3transfer.exceptions import RetriesExceededError

from castoff.store.errors import StoreError

_CREDENTIALS = (
    "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or [store] profile in "
    "castoff.toml; keys never stand in that file."
)
_RIGHTS = (
    "Castoff needs s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket (without the "
    "last, an object that is missing looks forbidden)."
)
_REGION = "Set [store] region in castoff.toml to the bucket's region."

# Error codes of S3, and those of servers that answer with the bare status.
_ANSWERS: dict[str, tuple[str, str]] = {
    "NoSuchBucket": (
        "there is no such bucket",
        "Create it, or correct [store] url in castoff.toml.",
    ),
    "AccessDenied": ("access is denied", _RIGHTS),
    "403": ("access is denied", _RIGHTS),
    "AllAccessDisabled": ("access is denied", _RIGHTS),
    "InvalidAccessKeyId": ("the server does not know this access key", _CREDENTIALS),
    "SignatureDoesNotMatch": ("the secret key does not fit the access key", _CREDENTIALS),
    "InvalidToken": ("the session token is not valid", _CREDENTIALS),
    "ExpiredToken": ("the credentials have expired", "Log in again, for example aws sso login."),
    "RequestTimeTooSkewed": (
        "this machine's clock differs too much from the server's",
        "Set the clock, for example with an NTP service.",
    ),
    "PermanentRedirect": ("the bucket is in another region", _REGION),
    "AuthorizationHeaderMalformed": ("the bucket is in another region", _REGION),
    "IllegalLocationConstraintException": ("the bucket is in another region", _REGION),
    "NotImplemented": (
        "the server does not know conditional writes",
        "Channels and locks need them; use a server that has them, or a file:// store.",
    ),
    "BadDigest": ("the data was damaged on its way", "Try again."),
    "InvalidDigest": ("the data was damaged on its way", "Try again."),
    "XAmzContentSHA256Mismatch": ("the data was damaged on its way", "Try again."),
    "SlowDown": ("the server is overloaded", "Try again in a minute."),
    "ServiceUnavailable": ("the server is overloaded", "Try again in a minute."),
    "503": ("the server is overloaded", "Try again in a minute."),
}

_LACKING = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.TokenRetrievalError,
    boto.SSOError,
)
_UNREACHABLE = (
    boto.ConnectionError,
    boto.HTTPClientError,
    boto.IncompleteReadError,
    RetriesExceededError,
)


def code_of(error: ClientError) -> str:
    """Return the error code in the server's answer; its status where there is no body."""
    return error.response.get("Error", {}).get("Code", "")


def status_of(error: ClientError) -> int:
    """Return the HTTP status of the server's answer."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def retries_of(error: ClientError) -> int:
    """Return how often the request had been sent before the answer came."""
    return error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)


def translate(error: Exception, place: str, key: str) -> StoreError:
    """Return our error for one of botocore or its transfer manager.

    Args:
        error: What was raised; ValueError is botocore's way to refuse an endpoint URL.
        place: The store's URL, with the endpoint.
        key: The object's key; empty where it is about the store as a whole.
    """
    where = f"{place}: {key}" if key else place
    if isinstance(error, ClientError):
        code = code_of(error)
        meaning, hint = _ANSWERS.get(code, (f"the server answers {code}: {_text(error)}", ""))
        return StoreError(f"{where}: {meaning}", hint=hint)
    if isinstance(error, _LACKING):
        return StoreError(f"{where}: no credentials: {error}", hint=_CREDENTIALS)
    if isinstance(error, boto.ProfileNotFound):
        return StoreError(f"{where}: {error}", hint="See `aws configure list-profiles`.")
    if isinstance(error, boto.NoRegionError):
        return StoreError(f"{where}: no region is configured", hint=_REGION)
    if isinstance(error, _UNREACHABLE):
        return StoreError(
            f"{where}: the server cannot be reached: {error}",
            hint="Check the network and [store] endpoint_url in castoff.toml.",
        )
    return StoreError(
        f"{where}: {error}", hint="Check [store] in castoff.toml and the AWS configuration."
    )


def _text(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Message", "")
