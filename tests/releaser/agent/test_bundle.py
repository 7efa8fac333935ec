from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from castoff.releaser.bundle import bootstrap, bundle
from support.agent_client import AgentClient, agent


def test_the_bundle_is_the_same_in_every_process() -> None:
    code = (
        "import sys; from castoff.releaser.bundle import bundle; sys.stdout.buffer.write(bundle())"
    )
    for seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            check=True,
        )
        assert done.stdout == bundle()


def test_the_command_is_quoted_for_a_shell(tmp_path: Path) -> None:
    folder = tmp_path / "a b'c;$(touch owned)"
    folder.mkdir()
    python = folder / "python3"
    python.symlink_to(sys.executable)
    done = subprocess.run(
        ["/bin/sh", "-c", bootstrap(str(python))],
        input=b"13\nprint('ready')",
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        check=False,
    )
    assert done.stdout == b"", "13 bytes are one short of the text: a syntax error"
    done = subprocess.run(
        ["/bin/sh", "-c", bootstrap(str(python))],
        input=b"14\nprint('ready')",
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        check=True,
    )
    assert done.stdout == b"ready\n"
    assert not (tmp_path / "owned").exists()


def test_tracebacks_name_the_agents_modules_and_show_their_lines() -> None:
    source = bundle().replace(
        b"from castoff_agent.main import serve\nserve()\n",
        b"import traceback\n"
        b"from castoff_agent.parameters import Parameters\n"
        b"try: Parameters({}).text('root')\n"
        b"except Exception: print(traceback.format_exc())\n",
    )
    done = subprocess.run(
        ["/bin/sh", "-c", bootstrap(sys.executable)],
        input=f"{len(source)}\n".encode() + source,
        stdout=subprocess.PIPE,
        check=True,
    )
    assert b'File "castoff_agent/parameters.py", line' in done.stdout
    assert b"raise _invalid(name" in done.stdout


def test_a_bare_start_loads_nothing_heavy() -> None:
    source = bundle() + b"import sys; sys.stderr.write(' '.join(sys.modules))\n"
    done = subprocess.run(
        ["/bin/sh", "-c", bootstrap(sys.executable)],
        input=f"{len(source)}\n".encode() + source,
        capture_output=True,
        check=True,
    )
    loaded = set(done.stderr.decode().split())
    assert "castoff_agent.main" in loaded
    heavy = {"ssl", "urllib", "http", "subprocess", "tempfile", "gzip", "shutil", "typing"}
    assert not loaded & (heavy | {"castoff_agent.download", "castoff_agent.prepare"})


def test_the_agent_greets_with_its_python() -> None:
    with agent() as client:
        version = ".".join(str(number) for number in sys.version_info[:3])
        assert client.greeting == {"castoff": 1, "python": version}


def test_the_agent_leaves_quietly_when_its_input_ends() -> None:
    client = AgentClient()
    client.hang_up()
    assert client.wait() == 0
    assert client.close() == b""


def test_nothing_but_the_protocol_reaches_standard_output(tmp_path: Path) -> None:
    # A step that writes to its own descriptors 1 and 2 is heard in events only.
    from support.archives import make_artifact

    release = make_artifact("1.0", {"f": b"x"})
    with agent(tmp_path / "srv") as client:
        client.ask("prepare", archive=release.archive, **release.request())
        command = "echo out; echo err >&2; echo '{\"id\": 3}'"
        client.ask("run", version="1.0", name="s", command=command, env={}, timeout=10)
        assert client.output == 'out\nerr\n{"id": 3}\n'
