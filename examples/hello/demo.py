"""The whole round on this machine: build, push, release, release again, roll back.

    python demo.py [FOLDER]

Everything happens in FOLDER, which is emptied first (default: `.demo` at the root of the
repository), with the commands that a user would type. From the moment that version 1.0 is live, a
poller asks all three hosts all the time; at the end it tells what they answered. Exits with 0 only
if every command did what it should and every request was answered.
"""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from poller import NoAnswer, Poller, ask

HELLO = Path(__file__).resolve().parent
PLACE = Path(sys.argv[1]).resolve() if sys.argv[1:] else HELLO.parents[1] / ".demo"
PROJECT = PLACE / "hello"
HOSTS = ("web1", "web2", "web3")
PORTS = ("8101", "8102", "8103")
COPIED = ("hello", "castoff.toml", "pyproject.toml", "requirements.txt", ".gitignore")
TIME_TO_LEAVE = 60.0


class Wrong(Exception):
    """Something did not turn out as it should."""


def main() -> None:
    """Run the round; see the module."""
    started = time.monotonic()
    stop_servers()
    shutil.rmtree(PLACE, ignore_errors=True)
    ports = make_project()
    try:
        first_version(ports)
        with Poller(ports) as poller:
            second_version(ports)
            roll_back(ports)
        report(poller)
    except (Wrong, NoAnswer) as wrong:
        sys.exit(f"\ndemo: {wrong}")
    finally:
        stop_servers()
    title("Where everything lies")
    show_places()
    print(f"\nAll as it should be, in {time.monotonic() - started:.0f} seconds.")


def make_project() -> dict[str, int]:
    """Make a git repository of the example, with free ports for the hosts; return those."""
    title(f"A small web application, in {PROJECT}")
    PROJECT.mkdir(parents=True)
    for name in COPIED:
        if (HELLO / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(HELLO / name, PROJECT / name, ignore=ignore)
        else:
            shutil.copy(HELLO / name, PROJECT / name)
    ports = dict(zip(HOSTS, free_ports(len(HOSTS)), strict=True))
    configuration = (PROJECT / "castoff.toml").read_text()
    for usual, port in zip(PORTS, ports.values(), strict=True):
        configuration = configuration.replace(f'PORT = "{usual}"', f'PORT = "{port}"')
    (PROJECT / "castoff.toml").write_text(configuration)
    run("git", "init", "--quiet", "--initial-branch", "main")
    commit("Say hello")
    return ports


def first_version(ports: dict[str, int]) -> None:
    """Build, push and release 1.0."""
    title("Version 1.0: build once, push, release to three hosts")
    run("castoff", "build", "--version", "1.0")
    run("castoff", "push", "1.0")
    run("castoff", "release", "1.0", "--env", "demo")
    expect(ports, "1.0", "Hello from an immutable release.")


def second_version(ports: dict[str, int]) -> None:
    """Change the application and its database, and release that as 2.0."""
    title("Version 2.0: another line on the page, and a migration")
    run("git", "apply", "--index", str(HELLO / "version-2.patch"))
    commit("Say who says so")
    run("castoff", "build", "--version", "2.0")
    run("castoff", "push", "2.0")
    run("castoff", "release", "2.0", "--env", "demo")
    expect(ports, "2.0", "Hello from an immutable release, says Castoff.")
    run("castoff", "status")


def roll_back(ports: dict[str, int]) -> None:
    """Go back to 1.0, which lives with the migrated database."""
    title("And back to 1.0")
    run("castoff", "rollback")
    expect(ports, "1.0", "Hello from an immutable release.")
    run("castoff", "history")


def report(poller: Poller) -> None:
    """Tell what the poller was answered while all that went on."""
    title("What a poller was answered in the meantime")
    for host, versions in poller.answers.items():
        counts = ", ".join(f"{count} by {version}" for version, count in sorted(versions.items()))
        print(f"{host}: {sum(versions.values())} requests answered: {counts}")
    print(f"failed: {len(poller.failures)}")
    if poller.failures:
        raise Wrong(f"requests failed, the first: {poller.failures[0]}")
    for host, versions in poller.answers.items():
        if set(versions) != {"1.0", "2.0"}:
            raise Wrong(f"{host} answered as {sorted(versions)}, not as 1.0 and 2.0")


def show_places() -> None:
    """Say where to look further."""
    for what, where in (
        ("the project", PROJECT),
        ("artifacts, which any tool opens", PROJECT / "artifacts"),
        ("the store", PROJECT / "artifacts" / "store"),
        ("a host", PLACE / "hosts" / "web1"),
        ("the database, which all hosts use", PLACE / "hosts" / "hello.db"),
        ("its back-ups", PLACE / "hosts" / "backups"),
    ):
        print(f"{where}: {what}")


def expect(ports: dict[str, int], version: str, line: str) -> None:
    """Check over HTTP what every host serves."""
    for host, port in ports.items():
        page, health = ask(port, "/"), ask(port, "/health")
        if page.version != version or health.version != version or line not in page.body:
            raise Wrong(f"{host} should serve {version} and say {line!r}: {page.body!r}")
        print(f"http://127.0.0.1:{port}/ ({host}): {line} [{version}]")


def run(*command: str) -> None:
    """Show a command as a user would type it, and run it in the project."""
    print(f"\n$ {shlex.join(command)}", flush=True)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        # The user's own settings for git (signatures, hooks) have no place here.
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Demo",
        "GIT_AUTHOR_EMAIL": "demo@localhost",
        "GIT_COMMITTER_NAME": "Demo",
        "GIT_COMMITTER_EMAIL": "demo@localhost",
    }
    done = subprocess.run(
        command, cwd=PROJECT, env=environment, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        raise Wrong(f"{' '.join(command)} ended with status {done.returncode}")


def commit(message: str) -> None:
    """Commit everything."""
    run("git", "add", "--all")
    run("git", "commit", "--quiet", "--message", message)


def stop_servers() -> None:
    """End the servers of this demo, and those that an interrupted one has left."""
    numbers = []
    for pidfile in PLACE.glob("hosts/*/shared/hello.pid*"):
        number = int(pidfile.read_text())
        command = Path(f"/proc/{number}/cmdline")
        if command.exists() and str(PLACE).encode() in command.read_bytes():
            os.kill(number, signal.SIGTERM)
            numbers.append(number)
    deadline = time.monotonic() + TIME_TO_LEAVE
    while any(Path(f"/proc/{number}").exists() for number in numbers):
        if time.monotonic() > deadline:
            sys.exit(f"demo: servers do not leave: processes {numbers}")
        time.sleep(0.05)


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def title(text: str) -> None:
    """Print a heading."""
    print(f"\n== {text}", flush=True)


if __name__ == "__main__":
    main()
