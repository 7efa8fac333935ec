"""What castoff.toml says of an environment, and of how a release goes on there."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from castoff.config import config_rules, notify_rules, rules, secret_rules, values
from castoff.config.config_tables import ConfigFile
from castoff.config.host_tables import Host, HostsFrom, SudoPassword
from castoff.config.notify_tables import Notification
from castoff.config.placeholders import only
from castoff.config.provision_tables import Provision
from castoff.config.secret_file_tables import SecretFile
from castoff.config.secret_tables import Secret, SecretName
from castoff.config.step_tables import Step
from castoff.config.table import (
    Address,
    Checksums,
    Name,
    Port,
    PublicUrl,
    RelativePath,
    Retries,
    Seconds,
    Sudo,
    Table,
    Text,
    Transport,
    Umask,
)
from castoff.config.tag_table import Tag
from castoff.config.transfer_tables import Transfer

RelayLogin = Literal["controller", "relay"]

ReportUrl = Annotated[
    str,
    StringConstraints(pattern=r"^https?://\S+$"),
    AfterValidator(only("app", "environment", "n", "version")),
]


class Limits(Table):
    """`[environments.E.limits]`: seconds."""

    # To reach a host and start the agent on it.
    connect: Seconds = 15
    # For one host to prepare.
    prepare: Seconds = 1_800
    # For all that one host does up to the barrier, pauses between tries among it. A host that
    # takes longer is a straggler.
    host: Seconds = 7_200
    # For the whole release.
    release: Seconds = 7_200
    # For a host to do what takes no time (flip, confirm), and to say how a step has ended.
    answer: Seconds = 15
    # That a host which was lost past the barrier is tried again before it is given up.
    reconnect: Seconds = 30
    # After which the lock of a controller that went silent frees itself; the clocks of all
    # controllers must agree better than that.
    lease: Seconds = 30


class FanOut(Table):
    """`[environments.E.fan_out]`: how hosts are connected to, which is most of what they cost."""

    # Connections that are made at once; open ones do not count.
    concurrency: Annotated[int, Field(ge=1, le=1_024)] = 64
    # Connections that are begun in a second.
    rate: Annotated[float, Field(ge=0.1, le=10_000)] = 200
    # Whether the first host of each zone, or the next if it cannot be used, carries the messages
    # to the zone's other hosts. What a host's own `relay` says wins.
    relay: Literal["none", "zone"] = "none"
    # Whose keys a relay logs in to other hosts with: those of the machine that releases, which
    # signs for it as long as it connects, or the relay's own.
    relay_login: RelayLogin = "controller"


class RetrySettings(Table):
    """`[environments.E.retries]`: how often what fails for want of a network is tried again."""

    # To connect to a host that does not answer.
    connect: Retries = 0
    # To prepare where the connection was lost, time ran out or the archive could not be fetched.
    prepare: Retries = 0
    # Seconds before the first of these tries; each further pause is twice as long, up to a
    # minute, and a part of it is chance.
    wait: Seconds = 1


class Stragglers(Table):
    """`[environments.E.stragglers]`: hosts that cannot take the release before the barrier.

    Policies: `fail`, one such host stops the release; `wait`, hosts that do not answer are tried
    again until the release's time is up; `quarantine`, the release goes on without them as long
    as the quorum of the others stands and each role has a host left. A host in quarantine takes
    part in the next release, or in `castoff converge`, and leaves quarantine when it is healthy.
    """

    policy: Literal["fail", "wait", "quarantine"] = "fail"
    # Hosts that must take part: a number as in "2", or a share of all as in "80%", rounded up.
    quorum: Annotated[str, AfterValidator(values.quorum)] | None = None
    # Run by /bin/sh -c on the machine that releases, for each host that comes into quarantine
    # (CASTOFF_HOST and CASTOFF_ADDRESS): take it from its load balancer. If it fails, nothing is
    # activated.
    drain: Text | None = None
    # The same for a host that was drained so and is healthy again: put it back.
    restore: Text | None = None

    @model_validator(mode="after")
    def _quarantine_has_a_quorum(self) -> Stragglers:
        rules.require(rules.stragglers(self))
        return self


class Strategy(Table):
    """`[environments.E.strategy]`: in which groups hosts are flipped, once all are prepared.

    Kinds: `all`, every host at once; `rolling`, `batch` hosts at a time; `canary`, the hosts
    that `canary` names first, then all others; `blue-green`, every host at once, but to a second
    instance that was started beside the first and found healthy. Between two groups, or before
    the flip of `blue-green`, lies the gate: `soak` seconds pass, the checks of the hosts that
    have flipped, or of the idle instances, run again, then `command`, then `ask`. What fails
    there takes every host back.
    """

    kind: Literal["all", "rolling", "canary", "blue-green"] = "all"
    # Hosts a group of `rolling`: a number as in "2", or a share of all as in "25%".
    batch: Annotated[str, StringConstraints(pattern=r"^[1-9]\d*%?$")] = "1"
    # Names or roles of the hosts that go first in `canary`; default: the first host.
    canary: tuple[Name, ...] = ()
    # Seconds between two groups.
    soak: Annotated[float, Field(ge=0, le=86_400)] = 0
    # Run by /bin/sh -c on the machine that releases; exit status 0 lets the release go on.
    command: Text | None = None
    # Whether a person has to say yes.
    ask: bool = False
    # Variables of steps that are about the blue or the green instance, such as its port.
    blue: dict[str, str] = Field(default_factory=dict)
    green: dict[str, str] = Field(default_factory=dict)


class Site(Table):
    """`[environments.E.site]`: the public files that keep their names, published at activation.

    Pages, `robots.txt`, service workers: what each release replaces. An environment with a site
    may do without hosts: then a release, and a rollback, is just this.
    """

    # What is behind the site's URL: s3://bucket/prefix or file://folder.
    store: Text
    # Where readers find it; each file is asked for there once it is published.
    url: PublicUrl | None = None
    # `copy` replaces each file at its name, in an order that readers can bear; `prefix` brings
    # the whole site to releases/VERSION/ and then changes one pointer: the link `current` in a
    # folder, the origin path of a CloudFront distribution.
    switch: Literal["copy", "prefix"] = "copy"
    # How long caches may keep these files.
    cache_control: Text = "public, max-age=60, must-revalidate"
    # Identifier of the CloudFront distribution in front, which is told what has changed.
    cloudfront: Text | None = None
    # For other CDNs, run by /bin/sh -c where Castoff runs: it gets the paths that have changed, a
    # line each, on standard input.
    purge: Text | None = None
    # Seconds until CloudFront or `purge` must be done.
    timeout: Seconds = 900
    # As in [store].
    endpoint_url: Text | None = None
    region: Text | None = None
    profile: Text | None = None
    path_style: bool | None = None
    checksums: Checksums = "sha256"

    def store_of(self, app: str) -> str:
        """Return `store` with the app's name filled in."""
        return self.store.replace("{app}", app)

    @model_validator(mode="after")
    def _has_a_pointer(self) -> Site:
        rules.require(rules.site(self))
        return self


class Environment(Table):
    """`[environments.NAME]`: hosts, what they have in common, and the steps of a release."""

    # Environment to take over from: what this one does not say is as there. `env`, `fan_out`,
    # `limits`, `provision`, `retries`, `secrets`, `stragglers`, `strategy` and `transfer` are
    # merged key by key, `steps` by name; hosts only where none are given here.
    inherits: Name | None = None
    # Steps of that environment that this one does not have.
    without_steps: tuple[Name, ...] = ()
    transport: Transport = "ssh"
    # What is not said of user, port, key and jump is as ~/.ssh/config says, else as ssh does it.
    user: Address | None = None
    port: Port | None = None
    key: Text | None = None
    # Hosts to go through, one after the other: [user@]host[:port],…
    jump: Address | None = None
    python: Text | None = None
    sudo: Sudo = False
    sudo_password: SudoPassword | None = None
    umask: Umask | None = None
    root: Annotated[str, StringConstraints(pattern=r"^(/|~/|\{|\.)")] = "/srv/{app}"
    # File of trusted host keys, beside ~/.ssh/known_hosts and /etc/ssh/ssh_known_hosts.
    known_hosts: Text | None = None
    # Whether a version must bear the signature of somebody in `signing.signers`.
    require_signature: bool = False
    # Releases kept on each host, the current and the previous good one among them.
    keep: Annotated[int, Field(ge=2, le=1_000)] = 5
    # Whether releases with the same dependencies share them on a host; "read" has their files read
    # again for each release.
    layers: bool | Literal["read"] = True
    env: dict[str, str] = Field(default_factory=dict)
    # Where the machine that releases finds the secrets that steps and files name.
    secrets: dict[SecretName, Secret] = Field(default_factory=dict)
    # File, beside castoff.toml, that is served while the maintenance page is on.
    maintenance_page: RelativePath | None = None
    limits: Limits = Limits.model_construct()
    fan_out: FanOut = FanOut.model_construct()
    transfer: Transfer = Transfer.model_construct()
    retries: RetrySettings = RetrySettings.model_construct()
    stragglers: Stragglers = Stragglers.model_construct()
    strategy: Strategy = Strategy.model_construct()
    hosts: Annotated[tuple[Host, ...], Field(min_length=1)] = ()
    hosts_from: HostsFrom | None = None
    site: Site | None = None
    # What hosts get before the first release.
    provision: Provision | None = None
    steps: tuple[Step, ...] = ()
    # Files that are rendered for each host.
    config: tuple[ConfigFile, ...] = ()
    # Files that hold secrets for the app.
    secret_files: tuple[SecretFile, ...] = ()
    # Who is told of runs.
    notify: tuple[Notification, ...] = ()
    # Where somebody puts the page of `castoff report`; {app}, {environment}, {version} and {n},
    # the number in the history, are filled in.
    report_url: ReportUrl | None = None
    tag: Tag | None = None

    @model_validator(mode="after")
    def _hosts_and_steps_go_together(self) -> Environment:
        rules.require(
            (
                *rules.environment(self),
                *config_rules.environment(self),
                *secret_rules.environment(self),
                *notify_rules.environment(self),
            )
        )
        return self
