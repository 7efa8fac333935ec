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
from castoff.config.store_tables import Signing, StoreSettings
from castoff.config.table import (
    Moment,
    Name,
    Table,
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
