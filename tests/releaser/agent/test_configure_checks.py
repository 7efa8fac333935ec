"""Configuration files are judged by nginx, systemd or a command before they are used."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from support.agent_client import AgentFailure, agent
from support.configured import File, check, configure, file, good


def test_a_command_of_ones_own_judges_a_file_by_its_name_and_content(root: Path, etc: Path) -> None:
    own = check("command", 'echo "$CASTOFF_VERSION: {file}"; grep -q root {file}')
    with agent(root) as client:
        configure(client, "1.0", file(etc / "cron job", "* * root x\n", check=own))
        assert client.output == f"1.0: '{etc}/cron job'\n"
        with pytest.raises(AgentFailure, match=r"the check of .*cron job failed") as caught:
            configure(client, "1.0", file(etc / "cron job", "* * x\n", check=own))
        assert caught.value.code == "step-failed"
        slow = {**check("command", "sleep 60"), "timeout": 0.3}
        with pytest.raises(AgentFailure, match=r"did not end within 0\.3 s") as caught:
            configure(client, "1.0", file(etc / "cron job", "", check=slow))
        assert caught.value.code == "step-timeout"
    assert list(etc.iterdir()) == []
    assert not (root / ".castoff/staging/check").exists()


SERVER = "server {{ listen 127.0.0.1:{port}; root {root}; {more} }}\n"


@pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx on this machine")
def test_nginx_judges_a_site_in_the_place_that_it_is_to_have(root: Path, etc: Path) -> None:
    sites = etc / "sites"
    sites.mkdir()
    (etc / "shared.conf").write_text("# include nothing; 'a lone quote\nadd_header X-Shared 1;\n")
    main = etc / "nginx.conf"
    main.write_text(
        f"pid {etc}/pid; error_log {etc}/error.log;\nevents {{ }}\n"
        'http { include "sites/*.conf"; }\n'
    )
    (sites / "other.conf").write_text(SERVER.format(port=1025, root="/srv", more=""))
    judged = check("nginx", str(main))
    path = sites / "shop.conf"

    def site(more: str, **changes: Any) -> File:
        text = SERVER.format(port=1026, root=f"{root}/current/app", more=more)
        return file(path, text, check=judged, **changes)

    before = {p.name for p in etc.iterdir()}
    with agent(root) as client:
        good(client, "1.0", site("include shared.conf;"))
        with pytest.raises(AgentFailure, match=r'unknown directive "nonsense" in .*shop\.conf:1'):
            configure(client, "2.0", site("nonsense;"))
        # The one that is there is not read beside the one that is to replace it.
        twice = "upstream shop { server 127.0.0.1:1; }\n"
        upstream = file(path, twice, check=judged)
        good(client, "2.0", upstream)
        good(client, "3.0", file(path, twice + "# changed\n", check=judged))
        # A file that goes away is not missed, and one that needs it is found out.
        other = file(sites / "more.conf", "upstream more { server 127.0.0.1:1; }", check=judged)
        good(client, "4.0", other, site("location / { proxy_pass http://more; }"))
        with pytest.raises(AgentFailure, match='host not found in upstream "more"'):
            configure(client, "5.0", site("location / { proxy_pass http://more; }"))
        # A part of our own that is included by another part.
        part = file(etc / "part.inc", "add_header X-Part 1;")
        good(client, "6.0", site("include part.inc;"), part)
        bad = file(etc / "part.inc", "broken")
        with pytest.raises(AgentFailure, match=r"part\.inc"):
            configure(client, "7.0", site("include part.inc;"), bad)
        # What nothing includes would never be read.
        lost = file(etc / "lost.conf", "", check=judged)
        with pytest.raises(AgentFailure, match=r"is not among what .* includes"):
            configure(client, "7.0", lost)
    assert before <= {p.name for p in etc.iterdir()} <= before | {"error.log", "part.inc"}


@pytest.mark.skipif(shutil.which("nginx") is None, reason="no nginx on this machine")
@pytest.mark.parametrize("where", ["main", "module", "nowhere"])
def test_a_check_by_nginx_makes_no_pid_file(root: Path, etc: Path, where: str) -> None:
    usual = Path("/run/nginx.pid")
    was_there = usual.exists()
    names = f"pid {etc}/pid;\n"
    (etc / "module.conf").write_text(names if where == "module" else "# pid /no;\n")
    main = etc / "nginx.conf"
    main.write_text(
        f"{names if where == 'main' else ''}include module.conf; error_log {etc}/error.log;\n"
        "events { }\nhttp { include site.conf; }\n"
    )
    text = SERVER.format(port=1027, root="/srv", more="")
    with agent(root) as client:
        good(client, "1.0", file(etc / "site.conf", text, check=check("nginx", str(main))))
    assert not (etc / "pid").exists()
    assert usual.exists() == was_there


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")
def test_systemd_judges_units_that_are_not_there_yet(root: Path, etc: Path) -> None:
    judged = check("systemd")
    folder = etc / "system"
    folder.mkdir()

    def unit(more: str = "", program: str = f"{root}/current/bin/shop") -> File:
        text = f"[Unit]\nDescription=Shop\n[Service]\nExecStart={program}\n{more}"
        return file(folder / "castoff-shop.service", text, check=judged)

    override = file(folder / "castoff-shop.service.d/x.conf", "[Service]\nNice=5\n", check=judged)
    with agent(root) as client:
        # `current` is not there yet: the unit is meant for the release that is about to be.
        with pytest.raises(AgentFailure, match=r"/releases/1\.0/bin/shop is not executable"):
            configure(client, "1.0", unit())
        configure(client, "1.0", unit(program="/bin/true"), override)
        with pytest.raises(AgentFailure, match=r"castoff-shop.service:5: Unknown key.*Nise"):
            configure(client, "1.0", unit("Nise=5\n", "/bin/true"))
        wrong = {**override, "text": "[Service]\nNise=5\n"}
        with pytest.raises(AgentFailure, match=r"service.d/x.conf:2: Unknown key"):
            configure(client, "1.0", unit(program="/bin/true"), wrong)
    assert list(folder.iterdir()) == []


def test_a_set_that_its_check_refuses_is_not_left_in_use(root: Path) -> None:
    judged = check("command", 'grep -q good {file} && grep -q good "$CASTOFF_RELEASE/settings"')
    with agent(root) as client:
        good(client, "1.0", file("settings", "good 1", check=judged))
        good(client, "2.0", file("settings", "good 2", check=judged))
        with pytest.raises(AgentFailure, match="the check of settings failed"):
            configure(client, "1.0", file("settings", "bad", check=judged))
        assert (root / "releases/1.0/settings").read_text() == "good 1"
        with pytest.raises(AgentFailure, match="the check of settings failed"):
            configure(client, "3.0", file("settings", "bad", check=judged))
        assert not (root / "releases/3.0/settings").exists()
        good(client, "3.0", file("settings", "good 3", check=judged))
        assert (root / "current/settings").read_text() == "good 3"
