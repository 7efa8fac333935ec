"""The command line tells of a release, tags it and writes its notes; no secret stays behind."""

from __future__ import annotations

import subprocess
from pathlib import Path

from castoff.config.load import load
from support.how_to import blocks
from support.receiver import receiver
from support.site import Site

CONFIG = """\
[apps.pages]

[environments.production]
transport = "local"
report_url = "https://reports.example/{n}.html"

[environments.production.secrets]
URL = { env = "TEAM_URL" }
TOKEN = { file = "../token" }

[environments.production.tag]
push = true

[[environments.production.hosts]]
name = "here"
root = "../hosts/here"

[[environments.production.steps]]
name = "careless"
moment = "activate"
run_on = "controller"
command = "env; cat ../token"

[[environments.production.notify]]
name = "team"
slack = { url_secret = "URL" }

[[environments.production.notify]]
name = "lights"
command = "echo I was given $TOKEN; exit 1"
secrets = ["TOKEN"]
"""
PATH, TOKEN = "services/T0123/B0456/s3cr3tpath", "t0ken-of-lights-4711"


def test_a_release_is_told_tagged_and_noted_and_keeps_its_secrets(tmp_path: Path) -> None:
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    with receiver() as server:
        site = Site(tmp_path / "site", variables={"TEAM_URL": f"{server.url}/{PATH}"})
        site.write({"castoff.toml": CONFIG, ".gitignore": "artifacts/\n"})
        site.git("remote", "add", "origin", str(remote))
        site.publish("1.0")
        first = site.castoff("release", "1.0")
        assert first.code == 0, first.err
        site.write({"pages/00.txt": "2.0"})
        commit = site.commit("feat: Sell socks")
        assert site.castoff("build", "--version", "2.0").code == 0
        assert site.castoff("push", "2.0").code == 0
        ahead = site.castoff("notes", "2.0", "--format", "markdown")
        second = site.castoff("release", "2.0")
        after = site.castoff("notes")
        again = site.castoff("notify", "1", "--to", "team")
        failing = site.castoff("notify")

    assert second.code == 0, second.err
    assert [post.path for post in server.posts] == [f"/{PATH}"] * 4
    text = server.posts[1].json["text"]
    assert "*pages 2.0 is live in production*" in text
    assert "report: https://reports.example/2.html" in text
    assert "Sell socks" in text
    lights = "notification 'lights' of the run's end was not sent: its command ended with status 1"
    assert f"{lights}: I was given ***" in second.err

    assert (again.code, again.out) == (0, "sent: team\n")
    assert "*pages 1.0 is live in production*" in server.posts[2].json["text"]
    assert (failing.code, failing.out) == (30, "")
    assert f"castoff: {lights}: I was given ***; try again: castoff notify 2" in failing.err

    tag = "release/production/2"
    there = subprocess.run(
        ["git", "rev-parse", f"{tag}^{{commit}}"],
        cwd=remote, check=True, capture_output=True, text=True,
    )  # fmt: skip
    assert there.stdout.strip() == commit
    assert "Sell socks" in site.git("tag", "-l", "--format=%(contents)", tag)

    assert ahead.out.startswith("# 2.0 (since 1.0)\n\n## Features\n\n- Sell socks (`")
    assert after.out.startswith("2.0 (since 1.0)\n\nFeatures:\n  ")

    said = "".join(run.out + run.err for run in (first, second, ahead, after, failing))
    kept = [
        file.read_bytes()
        for file in tmp_path.rglob("*")
        if file.is_file() and file != tmp_path / "token"
    ]
    for secret in (PATH, TOKEN):
        assert secret not in said
        assert not any(secret.encode() in content for content in kept)
    assert "careless" in said


def test_the_configuration_on_the_pages_loads(tmp_path: Path) -> None:
    hosts = '[apps.shop]\n[[environments.production.hosts]]\nname = "web1"\n'
    ways, report, own = blocks("how-to/notify.md", "toml")
    (tag,) = blocks("how-to/tags.md", "toml")
    token = '[environments.production.secrets.LIGHTS_TOKEN]\nenv = "X"\n'
    (tmp_path / "castoff.toml").write_text("\n".join((hosts, report, ways, own, token, tag)))

    environment = load(tmp_path / "castoff.toml").config.environments["production"]

    assert [one.name for one in environment.notify] == ["team", "on-call", "board", "lights"]
    assert environment.tag is not None
