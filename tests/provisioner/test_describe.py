"""What castoff.toml comes to on one host: values and texts, without any host."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from castoff.config.errors import ConfigError
from castoff.config.hosts import resolve_hosts
from castoff.config.load import load
from castoff.provisioner.describe import describe
from castoff.provisioner.surroundings import surroundings
from castoff.provisioner.thing import Thing
from support.how_to import blocks


def things(text: str, folder: Path, *, host: int = 0) -> dict[str, Thing]:
    (folder / "castoff.toml").write_text(text)
    config = load(folder / "castoff.toml").config
    environment = config.environments["e"]
    provision = environment.provision
    assert provision is not None
    there = resolve_hosts("shop", environment, folder)[host]
    around = surroundings("shop", "e", there, provision, login="deploy")
    return {one.name: one for one in describe(around, config.apps["shop"], provision, folder)}


HEAD = """
[apps.shop]
shared = ["app/media/"]
[environments.e]
sudo = "shop"
hosts = [{ name = "web1", roles = ["web"] }, { name = "job1", roles = ["job"] }]
[environments.e.provision]
user = {}
"""


def test_things_are_for_the_hosts_that_have_their_roles(tmp_path: Path) -> None:
    text = HEAD + (
        'nginx = { roles = ["web"] }\n'
        'units = [{ name = "jobs.service", command = "bin/jobs", roles = ["job"] }]\n'
    )

    assert "nginx site shop" in (on_web := things(text, tmp_path))
    assert "unit jobs.service" not in on_web
    assert "unit jobs.service" in (on_job := things(text, tmp_path, host=1))
    assert "nginx site shop" not in on_job
    assert on_web["directory /srv/shop"].options["owner"] == "shop"


def test_a_unit_says_what_it_was_told_and_expands_nothing(tmp_path: Path) -> None:
    text = (
        HEAD
        + """
[[environments.e.provision.units]]
name = "shop"
command = "bin/serve --at {socket} --rate 5%"
env = { QUOTE = 'a "b" \\\\ 100%' }
env_file = "{root}/shared/env"
"""
    )
    unit = str(things(text, tmp_path)["unit shop.service"].options["text"])

    assert "ExecStart=/srv/shop/current/bin/serve --at /run/shop/shop.sock --rate 5%%\n" in unit
    assert 'Environment="QUOTE=a \\"b\\" \\\\\\\\ 100%%"\n' in unit
    assert "EnvironmentFile=-/srv/shop/shared/env\n" in unit
    assert "User=shop\n" in unit
    assert "NoNewPrivileges=yes\n" in unit


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")
def test_systemd_finds_nothing_wrong_with_a_unit(tmp_path: Path) -> None:
    text = (
        HEAD.replace("user = {}", 'user = { name = "root" }')
        + """
[[environments.e.provision.units]]
name = "shop"
type = "notify"
command = "/bin/true {socket} 5%"
env = { QUOTE = 'a "b" \\\\ 100%' }
env_file = "{root}/shared/env"
writable = ["/var/cache/shop"]
"""
    )
    file = tmp_path / "shop.service"
    file.write_text(str(things(text, tmp_path)["unit shop.service"].options["text"]))

    verify = ["systemd-analyze", "verify", str(file)]
    found = subprocess.run(verify, check=False, capture_output=True, text=True)

    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx")
def test_nginx_takes_a_site_with_tls_and_static_files(tmp_path: Path) -> None:
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=shop"]
    pair = [str(tmp_path / "key"), str(tmp_path / "chain")]
    subprocess.run([*make, "-keyout", pair[0], "-out", pair[1]], check=True, capture_output=True)
    text = HEAD.replace("[environments.e]", '[apps.shop.assets]\nsources = ["x"]\n[environments.e]')
    text += f"""
[environments.e.provision.nginx]
listen = 8443
server_names = ["shop.example.com"]
certificate = "{pair[1]}"
certificate_key = "{pair[0]}"
"""
    site = str(things(text, tmp_path)["nginx site shop"].options["text"])
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{site}}}\n"
    )

    check = ["nginx", "-t", "-q", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    found = subprocess.run(check, check=False, capture_output=True, text=True)

    assert found.returncode == 0, found.stderr
    assert "listen 8443 ssl;" in site
    assert "location /static/" in site


def test_a_template_of_the_projects_is_held_to_its_names(tmp_path: Path) -> None:
    text = HEAD + 'nginx = { template = "site.j2" }\n'
    (tmp_path / "site.j2").write_text("server { listen {{ listen }}; } # {{ host.name }}\n")
    site = things(text, tmp_path)["nginx site shop"].options["text"]
    assert site == "server { listen 80; } # web1\n"

    (tmp_path / "site.j2").write_text("{{ lisen }}")
    with pytest.raises(ConfigError, match=re.escape("site.j2: 'lisen' is undefined")):
        things(text, tmp_path)


def test_keys_come_as_text_or_from_a_file_and_are_public(tmp_path: Path) -> None:
    make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "id")]
    subprocess.run(make, check=True)
    text = HEAD.replace("user = {}", 'user = { authorized_keys = ["id.pub"] }')
    public = (tmp_path / "id.pub").read_text().strip()
    assert things(text, tmp_path)["user shop"].options["keys"] == [public]

    with pytest.raises(ConfigError, match="holds no public keys") as caught:
        things(text.replace("id.pub", "id"), tmp_path)
    assert "PRIVATE" not in caught.value.message


def test_the_agent_may_restart_units_whomever_it_has_become(tmp_path: Path) -> None:
    unit = 'units = [{ name = "shop", command = "bin/serve" }]\n'
    for user, who in (("", {"deploy", "shop"}), ('user = "ops", ', {"ops"})):
        text = f"{HEAD}{unit}sudo = {{ {user}restart = true, become = true }}\n"
        rules = str(things(text, tmp_path)["sudo rules castoff-shop"].options["text"]).splitlines()
        restarts = [rule for rule in rules if rule.endswith("systemctl restart shop.service")]
        assert {rule.split()[0] for rule in restarts} == who
        assert [rule for rule in rules if "(shop)" in rule] == [
            f"{min(who)} ALL=(shop) NOPASSWD: ALL"
        ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('packages = ["-o=evil"]', "packages"),
        ('packages = ["tree; rm"]', "packages"),
        ('directories = [{ path = "{root}/x\\ny" }]', "one line"),
        ('directories = [{ path = "{rot}/x" }]', "{root}"),
        ('sudo = { commands = ["/bin/true\\nALL ALL=ALL"] }', "one line"),
        ('units = [{ name = "../x", command = "y" }]', "systemd unit"),
        ('units = [{ name = "x" }]', "needs 'command' or 'template'"),
        ('nginx = { certificate = "/c" }', "TLS needs both"),
        ("firewall = {}", "no nginx is here"),
        ('check_command = "true"', "needs 'command'"),
    ],
)
def test_what_would_be_taken_for_something_else_is_refused(
    line: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        things(f"{HEAD}{line}\n", tmp_path)
    assert said in caught.value.message


def test_the_how_to_is_a_castoff_toml(tmp_path: Path) -> None:
    first, second, _ = blocks("how-to/provision.md", "toml")
    hosts = '\nhosts = [{ name = "web1" }]\n'
    text = "[apps.shop]\n" + first.replace('sudo = "shop"\n', f'sudo = "shop"{hosts}') + second
    (tmp_path / "castoff.toml").write_text(text)

    production = load(tmp_path / "castoff.toml").config.environments["production"].provision

    assert production is not None
    assert production.nginx is not None
    assert production.nginx.server_names == ("www.example.com",)
    assert [unit.name for unit in production.units] == ["shop.service"]
