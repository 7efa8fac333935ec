"""docs/reference/configuration.md and the models say the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined, to_json

import castoff.config.model as model_module
from castoff.config.load import load
from castoff.config.model import (
    Answers,
    App,
    Assets,
    Backup,
    Build,
    BuildTarget,
    Cdn,
    Check,
    ClearCache,
    Config,
    ConfigFile,
    Directory,
    DjangoCache,
    Ec2,
    Email,
    Environment,
    FanOut,
    Firewall,
    Gunicorn,
    Host,
    HostsFrom,
    Http,
    KeptPath,
    Limits,
    Migrate,
    Nginx,
    NginxCache,
    Notification,
    Provision,
    RedisCache,
    Request,
    Restart,
    RetrySettings,
    Secret,
    SecretFile,
    Signing,
    Site,
    Slack,
    Step,
    StoreSettings,
    Stragglers,
    Strategy,
    SudoPassword,
    SudoRights,
    Supervisor,
    SystemdUnit,
    SystemUser,
    Tag,
    Tcp,
    Transfer,
    Unit,
    Uwsgi,
    VarnishCache,
    Webhook,
)

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"
NO_DEFAULT = "\u2013"
SECTIONS: dict[str, type[BaseModel]] = {
    "The file as a whole": Config,
    "`[apps.NAME]`": App,
    "Entries of `shared` and `writable`": KeptPath,
    "`[apps.NAME.build]`": Build,
    "`[apps.NAME.build.target]`": BuildTarget,
    "`[apps.NAME.assets]`": Assets,
    "`[apps.NAME.cdn]`": Cdn,
    "`[store]`": StoreSettings,
    "`[signing]`": Signing,
    "`[environments.NAME]`": Environment,
    "`[environments.NAME.sudo_password]`": SudoPassword,
    "`[environments.NAME.secrets]`": Secret,
    "`[[environments.NAME.secret_files]]`": SecretFile,
    "`[environments.NAME.hosts_from]`": HostsFrom,
    "`[environments.NAME.hosts_from.ec2]`": Ec2,
    "`[environments.NAME.fan_out]`": FanOut,
    "`[environments.NAME.limits]`": Limits,
    "`[environments.NAME.transfer]`": Transfer,
    "`[environments.NAME.retries]`": RetrySettings,
    "`[environments.NAME.stragglers]`": Stragglers,
    "`[environments.NAME.strategy]`": Strategy,
    "`[environments.NAME.site]`": Site,
    "`[[environments.NAME.notify]]`": Notification,
    "`[environments.NAME.notify.webhook]`": Webhook,
    "`[environments.NAME.notify.slack]`": Slack,
    "`[environments.NAME.notify.email]`": Email,
    "`[environments.NAME.tag]`": Tag,
    "`[environments.NAME.provision]`": Provision,
    "`[environments.NAME.provision.user]`": SystemUser,
    "`[[environments.NAME.provision.directories]]`": Directory,
    "`[environments.NAME.provision.nginx]`": Nginx,
    "`[[environments.NAME.provision.units]]`": Unit,
    "`[environments.NAME.provision.sudo]`": SudoRights,
    "`[environments.NAME.provision.firewall]`": Firewall,
    "`[[environments.NAME.hosts]]`": Host,
    "`[[environments.NAME.steps]]`": Step,
    "`[environments.NAME.steps.http]`": Http,
    "`[environments.NAME.steps.tcp]`": Tcp,
    "`[environments.NAME.steps.check]`": Check,
    "`[environments.NAME.steps.restart]`": Restart,
    "`[environments.NAME.steps.restart.systemd]`": SystemdUnit,
    "`[environments.NAME.steps.restart.gunicorn]`": Gunicorn,
    "`[environments.NAME.steps.restart.uwsgi]`": Uwsgi,
    "`[environments.NAME.steps.restart.supervisor]`": Supervisor,
    "`[environments.NAME.steps.restart.answers]`": Answers,
    "`[environments.NAME.steps.clear_cache]`": ClearCache,
    "`[environments.NAME.steps.clear_cache.django]`": DjangoCache,
    "`[environments.NAME.steps.clear_cache.redis]`": RedisCache,
    "`[environments.NAME.steps.clear_cache.nginx]`": NginxCache,
    "`[environments.NAME.steps.clear_cache.varnish]`": VarnishCache,
    "`[environments.NAME.steps.clear_cache.url]`": Request,
    "`[environments.NAME.steps.migrate]`": Migrate,
    "`[environments.NAME.steps.backup]`": Backup,
    "`[[environments.NAME.config]]`": ConfigFile,
}


def documented(title: str) -> dict[str, str]:
    """Return the keys of a section's table, and each one's default."""
    section = PAGE.read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]
    table = section.split("| key |")[1]
    return dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \| [^|]+ \|$", table, re.MULTILINE))


def defaults(model: type[BaseModel]) -> dict[str, str]:
    found = {}
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        if default is PydanticUndefined:
            found[name] = "required"
        elif default is None:
            found[name] = NO_DEFAULT
        elif isinstance(default, BaseModel):
            found[name] = "`{}`"
        else:
            found[name] = f"`{to_json(default).decode()}`"
    return found


@pytest.mark.parametrize("title", SECTIONS)
def test_each_section_has_its_models_keys_and_defaults_in_their_order(title: str) -> None:
    assert list(documented(title).items()) == list(defaults(SECTIONS[title]).items())


def test_every_model_has_a_section() -> None:
    reached: set[type[BaseModel]] = set()

    def visit(model: type[BaseModel]) -> None:
        reached.add(model)
        for field in model.model_fields.values():
            for name in re.findall(r"castoff\.config\.\w+\.([A-Z]\w+)", repr(field.annotation)):
                visit(vars(model_module)[name])
            if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
                visit(field.annotation)

    visit(Config)

    assert reached == set(SECTIONS.values())


def test_the_example_of_the_page_loads(tmp_path: Path) -> None:
    example = PAGE.read_text().split("```toml\n")[1].split("```")[0]
    (tmp_path / "castoff.toml").write_text(example)

    config = load(tmp_path / "castoff.toml").config

    assert [host.name for host in config.environments["production"].hosts] == ["web1", "web2"]
