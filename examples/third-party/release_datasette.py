"""Release a real third-party application twice, and take it back; see README.md beside this."""

from __future__ import annotations

import collections
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from support import fleet_namespaces, s3  # noqa: E402 (the tests' servers)
from support.fleet import Fleet, make_key  # noqa: E402
from support.forward import forwarded  # noqa: E402

VERSIONS = ("0.65.1", "0.65.2")
PORT = 8001
BIN = Path(sys.executable).parent
# Datasette imports pkg_resources, which newer releases of setuptools do not have any more.
REQUIREMENTS = "gunicorn\nuvicorn\nuvicorn-worker\nsetuptools<81\n"


def main() -> None:
    """Run the round; exit with 0 only if every command worked and every request was answered."""
    if reason := fleet_namespaces.missing():
        sys.exit(f"cannot make hosts here: {reason}")
    with tempfile.TemporaryDirectory(prefix="castoff-third-party-") as folder:
        place = Path(folder)
        for name in ("seaweed", "fleet", "home", "app"):
            (place / name).mkdir()
        make_key(place / "key")
        names = [f"web{number}" for number in range(1, 5)]
        with (
            s3.seaweed(place / "seaweed") as endpoint,
            fleet_namespaces.fleet_in_namespaces(
                place / "fleet", names, place / "key", disk="1g"
            ) as fleet,
            forwarded(fleet.gateway, urlsplit(endpoint).port or 80) as port,
        ):
            bucket = s3.make_bucket(endpoint)
            store = f'url = "s3://{bucket}"\nendpoint_url = "http://{fleet.gateway}:{port}"'
            go(place, fleet, store)


def go(place: Path, fleet: Fleet, store: str) -> None:
    """Build and push both versions, release them, go back, and count what the hosts answer."""
    app = place / "app"
    run(app, "git", "init", "--quiet", "--initial-branch", "main")
    for version in VERSIONS:
        lay_out(app, version, fleet, store)
        run(app, "git", "add", "--all")
        run(app, "git", "commit", "--quiet", "--message", f"Datasette {version}")
        run(app, "castoff", "build", "--version", version)
        run(app, "castoff", "push", version)
    old, new = VERSIONS
    run(app, "castoff", "release", old)
    answers: collections.Counter[tuple[str, str]] = collections.Counter()
    failures: list[str] = []
    over = threading.Event()
    pollers = [
        threading.Thread(target=poll, args=(host.name, host.address, over, answers, failures))
        for host in fleet.hosts
    ]
    for poller in pollers:
        poller.start()
    try:
        for command, version in ((("release", new), new), (("rollback",), old)):
            run(app, "castoff", *command)
            for host in fleet.hosts:
                answered = ask(host.address)
                if answered != version:
                    failures.append(f"{host.name} answers as {answered}, not as {version}")
        run(app, "castoff", "status")
        run(app, "castoff", "history")
    finally:
        over.set()
        for poller in pollers:
            poller.join()
    for (host, version), count in sorted(answers.items()):
        print(f"{host}: {count} requests answered by Datasette {version}")
    print(f"failed: {len(failures)}")
    if failures or {version for _, version in answers} != set(VERSIONS):
        sys.exit("\n".join(failures[:5]) or "a version never answered")


def lay_out(app: Path, version: str, fleet: Fleet, store: str) -> None:
    """Put a version's source distribution, what we add to it, and a lock into the working tree."""
    for path in app.iterdir():
        if path.name not in (".git", "artifacts"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    with tempfile.TemporaryDirectory() as folder:
        words = ("--quiet", "--no-deps", "--no-binary", ":all:", "--dest", folder)
        run(app, sys.executable, "-m", "pip", "download", *words, f"datasette=={version}")
        (archive,) = Path(folder).iterdir()
        with tarfile.open(archive) as source:
            source.extractall(folder, filter="data")
        shutil.copytree(Path(folder) / f"datasette-{version}", app, dirs_exist_ok=True)
    shutil.copytree(HERE / "added", app, dirs_exist_ok=True)
    (app / ".gitignore").write_text("/artifacts/\n")
    with tempfile.NamedTemporaryFile("w", suffix=".in") as wanted:
        wanted.write(f"datasette=={version}\n{REQUIREMENTS}")
        wanted.flush()
        words = ("--quiet", "--generate-hashes", "--no-header", "--no-annotate")
        words = (*words, "--no-emit-package", "datasette", "-o", "requirements.txt", wanted.name)
        run(app, "uv", "pip", "compile", *words)
    (app / "castoff.toml").write_text(
        f"""
[apps.datasette.build]
lock = "requirements.txt"
wheel = true
include = ["deploy/**"]

[store]
{store}

[environments.production]
known_hosts = "{fleet.known_hosts}"
env = {{ DATABASE = "/srv/ships.db", DATASETTE_SECRET = "only-for-this-example" }}

{fleet.toml_hosts("production")}

[[environments.production.steps]]
name = "fill"
moment = "prepare"
command = "bin/python app/deploy/fill.py"

[[environments.production.steps]]
name = "restart"
moment = "activate"
command = "app/deploy/restart"

[[environments.production.steps]]
name = "health"
moment = "after_activate"
timeout = 30
http = {{ url = "http://127.0.0.1:{PORT}/-/versions.json", contains = '"{{version}}"' }}
"""
    )


def run(folder: Path, *words: str) -> None:
    """Show a command and run it in a folder; leave with its status if it fails."""
    print(f"\n$ {' '.join(words)}", flush=True)
    environment = {
        **os.environ,
        **s3.ENVIRONMENT,
        "HOME": str(folder.parent / "home"),
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_AUTHOR_NAME": "Example",
        "GIT_AUTHOR_EMAIL": "example@localhost",
        "GIT_COMMITTER_NAME": "Example",
        "GIT_COMMITTER_EMAIL": "example@localhost",
    }
    done = subprocess.run(words, cwd=folder, env=environment, check=False)
    if done.returncode != 0:
        sys.exit(f"status {done.returncode}: {' '.join(words)}")


def ask(address: str) -> str:
    """Return the version that a host's Datasette says it is."""
    url = f"http://{address}:{PORT}/-/versions.json"
    with urllib.request.urlopen(url, timeout=10) as response:
        return str(json.load(response)["datasette"]["version"])


def poll(
    name: str,
    address: str,
    over: threading.Event,
    answers: collections.Counter[tuple[str, str]],
    failures: list[str],
) -> None:
    """Ask a host again and again, and count."""
    while not over.is_set():
        try:
            answers[name, ask(address)] += 1
        except (OSError, ValueError) as error:
            failures.append(f"{name}: {error}")
        time.sleep(0.02)


if __name__ == "__main__":
    main()
