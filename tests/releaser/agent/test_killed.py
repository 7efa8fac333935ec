from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

from support.agent_client import AgentClient, AgentGone, agent, open_request
from support.archives import make_artifact
from support.killed_agent import deadly_bundle

OLD = make_artifact("1.0", {"app/main.py": b"old\n"})
NEW = make_artifact(
    "2.0", {"app/main.py": b"new\n", "bin/x": (b"#!/bin/sh\n", True)}, links={"l": "app"}
)


def serving_old(root: Path) -> None:
    with agent(root) as client:
        client.ask("prepare", archive=OLD.archive, **OLD.request())
        client.ask("activate", version="1.0", release="r1")
        client.ask("confirm", version="1.0", release="r1")


def sweep(root: Path, action: Callable[[AgentClient], object], check: Callable[[], None]) -> int:
    """Do `action` with an agent killed before its first disk call, its second, ... to the last.

    Returns how many calls there were. `check` looks at what each death has left.
    """
    calls = 0
    while True:
        calls += 1
        client = AgentClient(source=deadly_bundle(calls))
        try:
            client.ask("open", **open_request(root))
            action(client)
        except AgentGone:
            check()
            continue
        finally:
            client.close()
        return calls


def files_of(release: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(release)): p.read_bytes()
        for p in release.rglob("*")
        if p.is_file() and not p.is_symlink()
    }


def test_prepare_may_be_killed_before_any_call_and_serves_on(root: Path) -> None:
    serving_old(root)
    shared = ["media/"]

    def check() -> None:
        assert str((root / "current").readlink()) == "releases/1.0"
        assert files_of(root / "releases/1.0") == {"app/main.py": b"old\n"}
        if (root / "releases/2.0").exists():
            assert files_of(root / "releases/2.0") == {
                "app/main.py": b"new\n",
                "bin/x": b"#!/bin/sh\n",
            }

    def prepare(client: AgentClient) -> None:
        client.ask("prepare", archive=NEW.archive, **NEW.request(shared=shared))

    calls = sweep(root, prepare, check)
    assert calls > 30
    with agent(root) as client:
        assert client.ask("verify", version="2.0")["tree_sha256"] == NEW.tree_sha256
        assert client.ask("prepare", **NEW.request(shared=shared))["reused"]
    assert list((root / ".castoff/staging").iterdir()) == []


def test_prepare_may_be_killed_at_any_time_and_then_works(root: Path) -> None:
    serving_old(root)
    artifact = make_artifact("2.0", {f"d{n % 9}/{n}": os.urandom(3000) for n in range(300)})
    with agent(root.parent / "measure") as client:
        started = time.monotonic()
        client.ask("prepare", archive=artifact.archive, **artifact.request())
        whole = time.monotonic() - started
    chance = random.Random(7)
    for _ in range(15):
        victim = AgentClient()
        victim.ask("open", **open_request(root))
        victim.post("prepare", **artifact.request())
        message = victim.read()
        if message["event"] == "want":
            # What came before an earlier death is not wanted again.
            victim.give(artifact.archive[message["offset"] :][: message["length"]])
        time.sleep(chance.uniform(0, whole))
        victim.process.kill()
        victim.close()
        assert str((root / "current").readlink()) == "releases/1.0"
        if (root / "releases/2.0").exists():
            with agent(root) as client:
                assert client.ask("verify", version="2.0")["tree_sha256"] == artifact.tree_sha256
                client.ask("prune", keep=2, never=[])
    with agent(root) as client:
        client.ask("prepare", archive=artifact.archive, **artifact.request())
        assert client.ask("verify", version="2.0")["tree_sha256"] == artifact.tree_sha256


def test_activate_may_be_killed_before_any_call_and_never_serves_a_third_thing(
    root: Path,
) -> None:
    serving_old(root)
    with agent(root) as client:
        client.ask("prepare", archive=NEW.archive, **NEW.request())
    seen = set()

    def check() -> None:
        current = str((root / "current").readlink())
        intent = json.loads((root / ".castoff/state.json").read_text())["intent"]
        seen.add((current, intent and intent["to"]))

    def there_and_confirmed(client: AgentClient) -> None:
        client.ask("activate", version="2.0", release="r2")
        client.ask("confirm", version="2.0", release="r2")

    calls = sweep(root, there_and_confirmed, check)
    assert calls > 15
    # A flip that is not confirmed is always known as such; nothing else was ever to be seen.
    assert seen == {
        ("releases/1.0", None),
        ("releases/1.0", "2.0"),
        ("releases/2.0", "2.0"),
        ("releases/2.0", None),
    }
    with agent(root) as client:
        assert client.ask("state")["state"]["good"] == "2.0"


def test_a_link_staged_before_a_crash_never_publishes_the_old_release(root: Path) -> None:
    serving_old(root)
    newer = make_artifact("3.0", {"app/main.py": b"newer\n"})
    with agent(root) as client:
        client.ask("prepare", archive=NEW.archive, **NEW.request())
        client.ask("prepare", archive=newer.archive, **newer.request())
    staging = root / ".castoff/staging"
    calls = 0
    while not [p for p in staging.iterdir() if p.is_symlink()]:
        calls += 1
        victim = AgentClient(source=deadly_bundle(calls))
        try:
            victim.ask("open", **open_request(root))
            # One that was begun before would not be noted again, and take fewer calls.
            victim.ask("activate", version="2.0", release=f"r2-{calls}")
        except AgentGone:
            continue
        finally:
            victim.close()
    assert str((root / "current").readlink()) == "releases/1.0"
    with agent(root) as client:
        client.ask("activate", version="3.0", release="r3")
    assert (root / "current/app/main.py").read_bytes() == b"newer\n"


def test_prune_may_be_killed_before_any_call(root: Path) -> None:
    serving_old(root)

    def prepare_and_prune(client: AgentClient) -> None:
        client.ask("prune", keep=2, never=[])

    def check() -> None:
        assert files_of(root / "current/") == {"app/main.py": b"old\n"}
        for release in (root / "releases").iterdir():
            assert len(files_of(release)) == {"1.0": 1, "2.0": 2}[release.name]
        prepare_new()

    def prepare_new() -> None:
        with agent(root) as client:
            client.ask("prepare", archive=NEW.archive, **NEW.request())

    prepare_new()
    assert sweep(root, prepare_and_prune, check) > 10
    assert [p.name for p in (root / "releases").iterdir()] == ["1.0"]
    assert {p.name[:3] for p in (root / ".castoff/releases").iterdir()} == {"1.0"}
    assert list((root / ".castoff/trash").iterdir()) == []
