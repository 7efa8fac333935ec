"""Hosts as EC2 knows them: running instances by their tags. The only user of EC2's API."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from castoff.config.model import Ec2, HostsFrom
from castoff.releaser.errors import HostsUnknown

_STRANGE = re.compile(r"[^a-z0-9]+")
_BETWEEN = re.compile(r"[,\s]+")
_LONGEST = 63
_TRIES = 3
_PAGE = 100

Instance = Mapping[str, Any]


def ask_ec2(source: HostsFrom) -> list[dict[str, Any]]:
    """Return a table of `[[environments.NAME.hosts]]` for each running instance, by name.

    Raises:
        HostsUnknown: EC2 does not answer or refuses, or an instance lacks the address asked for.
    """
    wanted = source.ec2
    if wanted is None:
        raise ValueError("no EC2 in this source")
    try:
        instances = list(_instances(wanted, source.timeout))
    except (BotoCoreError, ClientError) as error:
        raise HostsUnknown(
            f"EC2 does not say which instances there are: {error}",
            hint="See `aws ec2 describe-instances` with the same region and profile; the right "
            "that it needs is ec2:DescribeInstances.",
        ) from error
    return rows(instances, wanted)


def rows(instances: Iterable[Instance], wanted: Ec2) -> list[dict[str, Any]]:
    """Return the tables of hosts for instances as DescribeInstances gives them; no I/O.

    Raises:
        HostsUnknown: An instance lacks the address asked for.
    """
    found = [_row(one, _tags(one), wanted) for one in instances]
    return sorted(found, key=lambda row: str(row["name"]))


def _instances(wanted: Ec2, timeout: float) -> Iterable[Instance]:
    session = boto3.Session(profile_name=wanted.profile, region_name=wanted.region)
    limits = Config(
        connect_timeout=timeout, read_timeout=timeout, retries={"total_max_attempts": _TRIES}
    )
    client = session.client("ec2", config=limits)
    filters = [{"Name": f"tag:{key}", "Values": [value]} for key, value in wanted.tags.items()]
    filters.append({"Name": "instance-state-name", "Values": ["running"]})
    pages = client.get_paginator("describe_instances").paginate(
        Filters=filters, PaginationConfig={"PageSize": _PAGE}
    )
    for page in pages:
        for reservation in page["Reservations"]:
            yield from reservation["Instances"]


def _row(one: Instance, tags: Mapping[str, str], wanted: Ec2) -> dict[str, Any]:
    identity = str(one["InstanceId"])
    key = "PrivateIpAddress" if wanted.address == "private" else "PublicIpAddress"
    address = one.get(key)
    if not address:
        raise HostsUnknown(
            f"the instance {identity} has no {wanted.address} address",
            hint="Give it one, or choose the other with `address` in hosts_from.",
        )
    roles = [role for role in _BETWEEN.split(tags.get(wanted.role_tag, "")) if role]
    row = {"name": _name(identity, tags), "address": address, "roles": roles}
    # What goes between these zones is slower, and costs; within one it does not.
    zone = one.get("Placement", {}).get("AvailabilityZone")
    return {**row, "zone": zone} if zone else row


def _name(identity: str, tags: Mapping[str, str]) -> str:
    """Return a name that stays whatever becomes of the other instances."""
    plain = _STRANGE.sub("-", tags.get("Name", "").casefold()).strip("-")
    return f"{plain[: _LONGEST - len(identity) - 1]}-{identity}" if plain else identity


def _tags(one: Instance) -> dict[str, str]:
    return {str(tag["Key"]): str(tag["Value"]) for tag in one.get("Tags", ())}
