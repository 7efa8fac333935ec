"""What CloudFront is asked for, as moto understands it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest

from castoff.store.errors import StoreError
from castoff.store.public.cloudfront import Distribution
from support import s3

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

MakeDistribution = Callable[..., str]
SERVER: Any = {
    "CustomOriginConfig": {
        "HTTPPort": 80,
        "HTTPSPort": 443,
        "OriginProtocolPolicy": "https-only",
        "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]},
    }
}


@pytest.fixture
def client(
    moto_url: str, aws_environment: None, monkeypatch: pytest.MonkeyPatch
) -> CloudFrontClient:
    del aws_environment
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFRONT", moto_url)
    return boto3.client("cloudfront", region_name=s3.REGION)


@pytest.fixture
def make(client: CloudFrontClient) -> MakeDistribution:
    """Return a function that makes a distribution with these origins."""

    def run(*origins: str) -> str:
        items = [{"Id": name, "DomainName": name, "OriginPath": "", **SERVER} for name in origins]
        config: Any = {
            "CallerReference": uuid4().hex,
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": len(items), "Items": items},
            "DefaultCacheBehavior": {
                "TargetOriginId": origins[0],
                "ViewerProtocolPolicy": "allow-all",
            },
        }
        return client.create_distribution(DistributionConfig=config)["Distribution"]["Id"]

    return run


def asked(client: CloudFrontClient, identifier: str) -> list[list[str]]:
    listed = client.list_invalidations(DistributionId=identifier)["InvalidationList"]
    return [
        client.get_invalidation(DistributionId=identifier, Id=one["Id"])["Invalidation"][
            "InvalidationBatch"
        ]["Paths"]["Items"]
        for one in listed.get("Items", [])
    ]


def test_just_these_paths_are_to_be_forgotten_and_folders_with_their_pages(
    client: CloudFrontClient, make: MakeDistribution
) -> None:
    identifier = make("www.example.com")
    Distribution(identifier).invalidate(["index.html", "a/index.html", "a b.txt"], timeout=20)
    assert asked(client, identifier) == [["/", "/a%20b.txt", "/a/", "/a/index.html", "/index.html"]]


def test_paths_are_those_that_readers_see(client: CloudFrontClient, make: MakeDistribution) -> None:
    identifier = make("www.example.com")
    Distribution(identifier).invalidate(["index.html"], base="/docs/", timeout=20)
    assert asked(client, identifier) == [["/docs/", "/docs/index.html"]]


def test_very_many_paths_are_one(client: CloudFrontClient, make: MakeDistribution) -> None:
    identifier = make("www.example.com")
    many = [f"{number}.txt" for number in range(1_001)]
    Distribution(identifier).invalidate(many, base="/docs/", timeout=20)
    assert asked(client, identifier) == [["/docs/*"]]


def test_nothing_changed_is_nothing_asked(client: CloudFrontClient, make: MakeDistribution) -> None:
    identifier = make("www.example.com")
    Distribution(identifier).invalidate([], timeout=20)
    assert asked(client, identifier) == []


def test_the_only_origin_is_the_site_s_though_it_is_no_bucket_of_aws(
    client: CloudFrontClient, make: MakeDistribution
) -> None:
    identifier = make("storage.example.com")
    Distribution(identifier, pause=0.01).point_to("/www/releases/2.0", timeout=20)
    config = client.get_distribution_config(Id=identifier)["DistributionConfig"]
    assert [one["OriginPath"] for one in config["Origins"]["Items"]] == ["/www/releases/2.0"]


def test_of_several_servers_none_is_guessed(make: MakeDistribution) -> None:
    identifier = make("a.example.com", "b.example.com")
    with pytest.raises(StoreError, match="several origins"):
        Distribution(identifier).point_to("/www/releases/2.0", timeout=20)


@pytest.mark.usefixtures("client")
def test_a_distribution_that_is_not_there_is_named() -> None:
    with pytest.raises(StoreError, match="CloudFront distribution ENONE"):
        Distribution("ENONE").invalidate(["index.html"], timeout=20)
