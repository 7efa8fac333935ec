"""Clients of AWS for secrets: one for each service, region and profile, shared by all threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from castoff.config.model import Secret
from castoff.releaser.secrets.errors import NotFound

_TRIES = 3
_clients: dict[tuple[str, str | None, str | None, float], Any] = {}
# To make a client is not safe in several threads at once; to use one is.
_making = threading.Lock()


def client(service: str, secret: Secret) -> Any:
    """Return a client for where a secret is kept.

    Raises:
        BotoCoreError: There is no such profile, or no region.
    """
    wanted = (service, secret.region, secret.profile, secret.timeout)
    with _making:
        if wanted not in _clients:
            session: Any = boto3.Session(region_name=secret.region, profile_name=secret.profile)
            limits = Config(
                connect_timeout=secret.timeout,
                read_timeout=secret.timeout,
                retries={"total_max_attempts": _TRIES},
            )
            _clients[wanted] = session.client(service, config=limits)
        return _clients[wanted]


@contextmanager
def translated(right: str) -> Iterator[None]:
    """Turn what AWS refuses into what is told of a secret.

    Args:
        right: The right that is needed, for the hint.

    Raises:
        NotFound: AWS cannot be reached, or refuses.
    """
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "no reason given")
        raise NotFound(f"AWS refuses: {code}", f"The right that it needs is {right}.") from error
    except BotoCoreError as error:
        raise NotFound(
            f"AWS cannot be asked: {error}",
            "See the region, the profile and the credentials of the AWS configuration.",
        ) from error
