"""What castoff.toml may say. Each class is one table; each field's comment is its documentation.

docs/reference/configuration.md is written from these, and tests hold the two together.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from castoff.config import outside_rules, rules, tag_rules
from castoff.config.app_tables import (
    App,
    Assets,
    Build,
    BuildTarget,
    Cdn,
    KeptPath,
    kept_paths,
)
from castoff.config.backup_step import Backup
from castoff.config.cache_step import (
    ClearCache,
    DjangoCache,
    NginxCache,
    RedisCache,
    VarnishCache,
)
from castoff.config.check_step import Check
from castoff.config.config_tables import ConfigFile
from castoff.config.environment_tables import (
    Environment,
    FanOut,
    Limits,
    RelayLogin,
    RetrySettings,
    Site,
    Stragglers,
    Strategy,
)
from castoff.config.host_tables import (
    Ec2,
    Host,
    HostsFrom,
    SudoPassword,
)
from castoff.config.http_step import Http, Request
from castoff.config.migrate_step import Migrate
from castoff.config.notify_tables import (
    Email,
    Notification,
    Slack,
    Webhook,
)
from castoff.config.outline import DEFAULT_STORE
from castoff.config.provision_tables import (
    Directory,
    Firewall,
    Nginx,
    Provision,
    SudoRights,
    SystemUser,
    Unit,
)
from castoff.config.restart_step import (
    Answers,
    Gunicorn,
    Restart,
    Supervisor,
    SystemdUnit,
    Uwsgi,
)
from castoff.config.secret_file_tables import SecretFile
from castoff.config.secret_tables import (
    Secret,
)
from castoff.config.step_tables import (
    Step,
)
from castoff.config.table import (
    Checksums,
    Moment,
    Name,
    RelativePath,
    Table,
    Text,
    Transport,
)
from castoff.config.tag_table import Tag
from castoff.config.tcp_step import Tcp
from castoff.config.transfer_tables import Transfer

__all__ = [
    "Answers",
    "App",
    "Assets",
    "Backup",
    "Build",
    "BuildTarget",
    "Cdn",
    "Check",
    "ClearCache",
    "Config",
    "ConfigFile",
    "Directory",
    "DjangoCache",
    "Ec2",
    "Email",
    "Environment",
    "FanOut",
    "Firewall",
    "Gunicorn",
    "Host",
    "HostsFrom",
    "Http",
    "KeptPath",
    "Limits",
    "Migrate",
    "Moment",
    "Nginx",
    "NginxCache",
    "Notification",
    "Provision",
    "RedisCache",
    "RelayLogin",
    "Request",
    "Restart",
    "RetrySettings",
    "Secret",
    "SecretFile",
    "Signing",
    "Site",
    "Slack",
    "Step",
    "StoreSettings",
    "Stragglers",
    "Strategy",
    "SudoPassword",
    "SudoRights",
    "Supervisor",
    "SystemUser",
    "SystemdUnit",
    "Tag",
    "Tcp",
    "Transfer",
    "Transport",
    "Unit",
    "Uwsgi",
    "VarnishCache",
    "Webhook",
    "kept_paths",
]


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


class Config(Table):
    """The whole file."""

    # Used where a command names no app or environment; needed only where there are several.
    default_app: Name | None = None
    default_environment: Name | None = None
    apps: Annotated[dict[Name, App], Field(min_length=1)]
    store: StoreSettings = StoreSettings.model_construct()
    signing: Signing = Signing.model_construct()
    environments: dict[Name, Environment] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _names_exist(self) -> Config:
        rules.require((*rules.config(self), *tag_rules.config(self), *outside_rules.config(self)))
        return self
