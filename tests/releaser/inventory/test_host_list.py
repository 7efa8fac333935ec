"""Hosts that are looked up: by a command, and from EC2 as moto serves it over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest

from castoff.config.errors import ConfigError
from castoff.config.model import Ec2, Environment
from castoff.releaser.errors import HostsUnknown
from castoff.releaser.inventory.ec2 import rows
from castoff.releaser.inventory.host_list import look_up_hosts
from support import s3
from support.limits import cut_short
from support.processes import has_ended
from support.traps import wait_until


def environment(**hosts_from: Any) -> Environment:
    return Environment.model_validate({"hosts_from": hosts_from})


def names(env: Environment, base: Path) -> list[str]:
    return [host.name for host in look_up_hosts(env, base).hosts]


def test_an_environment_that_lists_its_hosts_is_left_as_it_is(tmp_path: Path) -> None:
    env = Environment.model_validate({"hosts": ({"name": "a"},)})
    assert look_up_hosts(env, tmp_path) is env


def test_a_command_runs_beside_the_file_and_its_list_is_taken(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text('[{"name": "b", "roles": ["web"]}, {"name": "a"}]')
    env = environment(command="cat list.json; echo remark >&2")
    assert names(env, tmp_path) == ["b", "a"]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("echo no such inventory >&2; exit 4", "ended with status 4: no such inventory"),
        ("echo web1", "does not print JSON .*'web1"),
        ("printf '\\377'", "does not print JSON"),
    ],
)
def test_a_command_that_fails_is_told_in_its_words(
    tmp_path: Path, command: str, message: str
) -> None:
    with pytest.raises(HostsUnknown, match=message):
        look_up_hosts(environment(command=command), tmp_path)


def test_a_list_of_no_hosts_is_told_with_its_number(tmp_path: Path) -> None:
    env = environment(command="""echo '[{"name": "a"}, {"nam": "b"}]'""")
    with pytest.raises(ConfigError, match="hosts_from's command: host 2: unknown key 'nam'"):
        look_up_hosts(env, tmp_path)


def test_a_command_that_does_not_end_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    child = tmp_path / "child"

    def run_for(limit: float) -> None:
        env = environment(command=f"sleep 60 & echo $! > {child}; wait", timeout=limit)
        with pytest.raises(HostsUnknown, match=f"did not end within {limit:g} s"):
            look_up_hosts(env, tmp_path)

    cut_short(run_for, child)
    wait_until(lambda: has_ended(int(child.read_text())), "what the command started still runs")


def instance(number: int, name: str | None = None, **more: Any) -> dict[str, Any]:
    tags = [{"Key": "Name", "Value": name}] if name is not None else []
    return {
        "InstanceId": f"i-{number}",
        "PrivateIpAddress": f"10.0.0.{number}",
        "Tags": [*tags, *({"Key": key, "Value": value} for key, value in more.items())],
    }


TAGS = Ec2(tags={"app": "shop"})


def test_an_instance_is_named_by_its_tag_in_plain_letters_and_its_id() -> None:
    found = rows(
        [instance(3, "Shop: Web 1"), instance(2), instance(1, "zz"), instance(4, "?")], TAGS
    )
    assert [row["name"] for row in found] == ["i-2", "i-4", "shop-web-1-i-3", "zz-i-1"]


def test_a_name_does_not_depend_on_other_instances() -> None:
    found = rows([instance(2, "web"), instance(1, "Web"), instance(3, "w" * 70)], TAGS)
    assert [row["name"] for row in found] == ["web-i-1", "web-i-2", "w" * 59 + "-i-3"]
    assert rows([instance(2, "web")], TAGS)[0]["name"] == "web-i-2"


def test_roles_come_from_a_tag() -> None:
    found = rows([instance(1, "a", role="web, worker"), instance(2, "b")], TAGS)
    assert [row["roles"] for row in found] == [["web", "worker"], []]
    (other,) = rows([instance(1, "a", does="db")], Ec2(tags={"x": "y"}, role_tag="does"))
    assert other["roles"] == ["db"]


def test_the_zone_is_that_of_the_instance() -> None:
    placed = {**instance(1), "Placement": {"AvailabilityZone": "eu-north-1b", "Tenancy": "default"}}
    found = rows([placed, instance(2)], TAGS)
    assert [row.get("zone") for row in found] == ["eu-north-1b", None]


def test_an_instance_without_the_address_asked_for_is_told() -> None:
    with pytest.raises(HostsUnknown, match="i-1 has no public address"):
        rows([instance(1)], Ec2(tags={"x": "y"}, address="public"))


@pytest.fixture
def ec2(moto_url: str, aws_environment: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a client of a real server; the code under test reaches it by the environment."""
    del aws_environment
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    return boto3.Session(region_name=s3.REGION).client("ec2")


def launch(ec2: Any, count: int, **tags: str) -> list[str]:
    started = ec2.run_instances(
        ImageId="ami-12c6146b",
        MinCount=count,
        MaxCount=count,
        TagSpecifications=[
            {
                "ResourceType": "instance",
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            }
        ],
    )
    return [one["InstanceId"] for one in started["Instances"]]


def test_running_instances_with_all_tags_are_the_hosts(ec2: Any, tmp_path: Path) -> None:
    (one,) = launch(ec2, 1, app="shop", stage="live", Name="web1", role="web")
    (two,) = launch(ec2, 1, app="shop", stage="live", Name="web2", role="web worker")
    launch(ec2, 1, app="shop", stage="test", Name="test1")
    launch(ec2, 1, app="blog", stage="live", Name="blog1")
    ec2.stop_instances(InstanceIds=launch(ec2, 1, app="shop", stage="live", Name="stopped"))

    tags = {"app": "shop", "stage": "li*"}
    hosts = look_up_hosts(environment(ec2={"tags": tags, "region": s3.REGION}), tmp_path).hosts

    assert [(host.name, host.roles) for host in hosts] == [
        (f"web1-{one}", ("web",)),
        (f"web2-{two}", ("web", "worker")),
    ]
    assert all(str(host.address).startswith("10.") for host in hosts)
    assert all(str(host.zone).startswith(s3.REGION) for host in hosts)
    public = environment(ec2={"tags": tags, "address": "public"})
    assert not any(str(h.address).startswith("10.") for h in look_up_hosts(public, tmp_path).hosts)


def test_more_instances_than_a_page_holds_are_all_found(ec2: Any, tmp_path: Path) -> None:
    identities = launch(ec2, 110, app="many")
    assert sorted(identities) == names(environment(ec2={"tags": {"app": "many"}}), tmp_path)


def test_an_ec2_that_does_not_answer_is_told(
    monkeypatch: pytest.MonkeyPatch, aws_environment: None, tmp_path: Path
) -> None:
    del aws_environment
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    env = environment(ec2={"tags": {"app": "x"}}, timeout=1)
    with pytest.raises(HostsUnknown, match="EC2 does not say") as caught:
        look_up_hosts(env, tmp_path)
    assert "ec2:DescribeInstances" in caught.value.hint


def test_an_unknown_profile_is_told(aws_environment: None, tmp_path: Path) -> None:
    del aws_environment
    env = environment(ec2={"tags": {"app": "x"}, "profile": "nobody"})
    with pytest.raises(HostsUnknown, match="nobody"):
        look_up_hosts(env, tmp_path)
