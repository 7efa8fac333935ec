"""Each mistake in a castoff.toml is told with its line, and in words of the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from castoff.config.step_tables import BUILT_INS
from support.complaints import GOOD, complaints


@pytest.mark.parametrize(
    ("good", "bad", "complaint"),
    [
        (
            'user = "deploy"',
            'usr = "deploy"',
            "7: [environments.production] unknown key 'usr'; did you mean 'user'?",
        ),
        (
            'user = "deploy"',
            'Known-Hosts = "x"',
            "7: [environments.production] unknown key 'Known-Hosts'; did you mean 'known_hosts'?",
        ),
        (
            'user = "deploy"',
            "colour = 1",
            "7: [environments.production] unknown key 'colour'",
        ),
        (
            'user = "deploy"',
            'port = "22"',
            '7: [environments.production] port: expected a whole number, got text "22"',
        ),
        (
            'user = "deploy"',
            "port = 22.0",
            "7: [environments.production] port: expected a whole number, got number 22.0",
        ),
        (
            'user = "deploy"',
            "port = true",
            "7: [environments.production] port: expected a whole number, got true",
        ),
        (
            'user = "deploy"',
            "port = 2020-02-02",
            "7: [environments.production] port: expected a whole number, got a date or time",
        ),
        (
            'user = "deploy"',
            "user = ['deploy']",
            "7: [environments.production] user: expected text, got a list",
        ),
        (
            'user = "deploy"',
            "user = ''",
            "7: [environments.production] user: must not be empty",
        ),
        (
            'user = "deploy"',
            'user = "-oProxyCommand=x"',
            (
                "7: [environments.production] user: must not start with '-' nor hold white space, "
                'got text "-oProxyCommand=x"'
            ),
        ),
        (
            'user = "deploy"',
            "keep = 1",
            "7: [environments.production] keep: must be at least 2, got number 1",
        ),
        (
            'user = "deploy"',
            "limits.connect = 0",
            "7: [environments.production.limits] connect: must be more than 0, got number 0",
        ),
        (
            'user = "deploy"',
            'limits.connect = "15s"',
            '7: [environments.production.limits] connect: expected a number, got text "15s"',
        ),
        (
            'user = "deploy"',
            "limits = 5",
            "7: [environments.production] limits: expected a table, got number 5",
        ),
        (
            'user = "deploy"',
            'transport = "shh"',
            (
                "7: [environments.production] "
                "transport: must be 'ssh' or 'local', got text \"shh\"; "
                "did you mean 'ssh'?"
            ),
        ),
        (
            'user = "deploy"',
            "env = { PASSWORD = 12345 }",
            "7: [environments.production.env] PASSWORD: expected text, got a number",
        ),
        (
            'user = "deploy"',
            'env = ["A=1"]',
            "7: [environments.production] env: expected a table, got a list",
        ),
        (
            'root = "/srv/{app}"',
            'root = "srv"',
            (
                "8: [environments.production] root: must start with '/', '~/', '.' or '{', "
                'got text "srv"'
            ),
        ),
        (
            'root = "/srv/{app}"',
            'root = "/srv/{apps}"',
            (
                "8: [environments.production] "
                "root: {apps} stands for nothing; {app} and {host} do; "
                "did you mean '{app}'?"
            ),
        ),
        (
            'root = "/srv/{app}"',
            'root = "./srv"',
            (
                "8: [environments.production] "
                "root: must start with '/' or '~/' on hosts reached by "
                "ssh"
            ),
        ),
        (
            'name = "web2"',
            'adress = "web2"\nname = "web2"',
            "15: [[environments.production.hosts]] unknown key 'adress'; did you mean 'address'?",
        ),
        (
            'name = "web2"\n',
            "",
            "14: [[environments.production.hosts]] missing key 'name'",
        ),
        (
            'name = "web2"',
            'nam = "web2"',
            "15: [[environments.production.hosts]] unknown key 'nam'; did you mean 'name'?",
        ),
        (
            'name = "web2"',
            'name = "web1"',
            "15: [[environments.production.hosts]] two hosts are named 'web1'",
        ),
        (
            'name = "web2"',
            'name = "Web2"',
            (
                "15: [[environments.production.hosts]] name: a name has small letters, digits and "
                "'-', starts with a letter or digit, and is at most 63 characters long, "
                'got text "Web2"'
            ),
        ),
        (
            "port = 2222",
            "port = 70000",
            "16: [[environments.production.hosts]] port: must be at most 65535, got number 70000",
        ),
        (
            'moment = "once"\n',
            "",
            "18: [[environments.production.steps]] missing key 'moment'",
        ),
        (
            'moment = "once"',
            'moment = "onec"',
            (
                "20: [[environments.production.steps]] "
                "moment: must be 'before_prepare', 'prepare', 'backup', 'once', 'start_idle', "
                "'check_idle', 'before_activate', 'activate', 'after_activate', 'quarantine', "
                "'on_rollback' or 'on_failure', "
                "got text \"onec\"; did you mean 'once'?"
            ),
        ),
        (
            'command = "bin/migrate"\n',
            "",
            (
                "18: [[environments.production.steps]] step 'migrate' does nothing: it needs a "
                f"command, or one of {', '.join(('http', *BUILT_INS))}"
            ),
        ),
        (
            'command = "bin/migrate"',
            'command = "bin/migrate"\nhttp.url = "http://x/"',
            (
                "21: [[environments.production.steps]] step 'migrate' does two things: it needs a "
                f"command, or one of {', '.join(('http', *BUILT_INS))}"
            ),
        ),
        (
            'command = "bin/migrate"',
            'http.url = "ftp://x/"',
            (
                "21: [environments.production.steps.http] url: must be an http:// or https:// URL "
                'without white space, got text "ftp://x/"'
            ),
        ),
        (
            'command = "bin/migrate"\nroles = ["web"]',
            'command = "bin/migrate"\nroles = [\n  "web",\n  "wbe",\n]',
            (
                "24: [[environments.production.steps]] "
                "step 'migrate' wants role 'wbe', which no host "
                "has; did you mean 'web'?"
            ),
        ),
        (
            'command = "bin/migrate"',
            'command = "bin/migrate"\napps = ["shop", "other"]',
            (
                "22: [[environments.production.steps]] step 'migrate' names app 'other', which is "
                "not under [apps]"
            ),
        ),
        (
            'default_app = "shop"',
            'default_app = "shopp"',
            "1: default_app names 'shopp', which is not under [apps]; did you mean 'shop'?",
        ),
        (
            'default_app = "shop"',
            'default_environment = "prod"',
            "1: default_environment names 'prod', which is not under [environments]",
        ),
        (
            'shared = ["media/"]',
            'shared = ["media/", "../up"]',
            "4: [apps.shop] '../up' must be a relative path without '..'",
        ),
        (
            'shared = ["media/"]',
            'shared = [\n  "media/",\n  "media",\n]',
            "6: [apps.shop] 'media' is listed twice",
        ),
        (
            'shared = ["media/"]',
            'shared = ["media/", "media/photos/"]',
            "4: [apps.shop] 'media/photos/' and 'media/' lie in each other",
        ),
        (
            'shared = ["media/"]',
            'shared = "media/"',
            '4: [apps.shop] shared: expected a list, got text "media/"',
        ),
        (
            'shared = ["media/"]',
            'build = { format = "tar", wheel = "no" }',
            '4: [apps.shop.build] wheel: expected true or false, got text "no"',
        ),
        (
            'shared = ["media/"]',
            'path = "/srv"',
            "4: [apps.shop] path: must be a relative path without '..', got text \"/srv\"",
        ),
        (
            'shared = ["media/"]',
            'build.allow_secrets = ["app/key.pem"]',
            (
                "4: [apps.shop.build] allow_secrets: must be written path@sha256:digest, "
                'the digest in small letters, got text "app/key.pem"'
            ),
        ),
        (
            'shared = ["media/"]',
            f'build.allow_secrets = ["../key.pem@sha256:{64 * "0"}"]',
            (
                "4: [apps.shop.build] allow_secrets: must be a relative path without '..', "
                f'got text "../key.pem@sha256:{42 * "0"}…"'
            ),
        ),
        (
            "[environments.production]\n",
            '[signing]\nkey = ""\n[environments.production]\n',
            "7: [signing] key: must not be empty",
        ),
        (
            "[apps.shop]",
            '[apps."The Shop"]',
            (
                "3: [apps] "
                "'The Shop': a name has small letters, digits and '-', starts with a letter "
                "or digit, and is at most 63 characters long"
            ),
        ),
        (
            "[apps.shop]\n",
            "[app.shop]\n",
            "3: unknown key 'app'; did you mean 'apps'?",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line(
    tmp_path: Path, good: str, bad: str, complaint: str
) -> None:
    assert good in GOOD

    assert complaint in complaints(tmp_path, GOOD.replace(good, bad, 1))
