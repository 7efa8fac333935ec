from __future__ import annotations

import ast
import base64
import json
import subprocess
import sys
import zlib
from pathlib import Path

from castoff.releaser.agent import main
from castoff.releaser.bundle import bootstrap, built_ins, bundle, relay
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


def test_threads_that_begin_together_make_the_agents_text_once() -> None:
    program = """
import threading
from castoff.releaser import bundle
made = []
bare = bundle._bare
bundle._bare = lambda source: made.append(source) or bare(source)
together = threading.Barrier(8)
def begin():
    together.wait()
    bundle.loader("/srv/shop")
    bundle.built_ins_name()
    bundle.built_ins()
threads = [threading.Thread(target=begin) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(made), len(set(made)), len(bundle._sources("")) + len(bundle._sources("builtins")))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    made, different, all_of_them = done.stdout.split()
    assert made == all_of_them
    assert int(different) > 50


def packed(text: str) -> bytes:
    """Return a program as the bootstrap expects it, after its length."""
    data = zlib.compress(text.encode())
    return f"{len(data)}\n".encode() + data


def code_of(source: str) -> str:
    """Return what a module does, in another spelling, without its docstrings."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:]
    return ast.dump(tree)


def modules_of(program: bytes) -> dict[str, str]:
    """Return the modules that a program brings."""
    text = zlib.decompress(program).decode()
    (line,) = (line for line in text.splitlines() if line.startswith("install("))
    modules: dict[str, str] = json.loads(ast.literal_eval(line[len("install(") : -1]))
    return modules


def test_only_words_for_people_stay_behind() -> None:
    built_in = json.loads(zlib.decompress(base64.b64decode(built_ins())))
    sources = {**modules_of(relay()), **modules_of(bundle()), **built_in}
    folder = Path(main.__file__).parent
    files = {p.relative_to(folder): p.read_text() for p in folder.rglob("*.py")}
    assert len(sources) == len(files)
    for path, original in files.items():
        name = ".".join(path.with_suffix("").parts)
        assert code_of(sources[name]) == code_of(original), name
        assert len(sources[name].splitlines()) == len(original.splitlines()), name


def test_the_command_is_quoted_for_a_shell(tmp_path: Path) -> None:
    folder = tmp_path / "a b'c;$(touch owned)"
    folder.mkdir()
    python = folder / "python3"
    python.symlink_to(sys.executable)
    done = subprocess.run(
        ["/bin/sh", "-c", bootstrap(str(python))],
        input=packed("print('ready')")[:-1],
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        check=False,
    )
    assert done.stdout == b"", "one byte is lacking"
    done = subprocess.run(
        ["/bin/sh", "-c", bootstrap(str(python))],
        input=packed("print('ready')"),
        stdout=subprocess.PIPE,
        cwd=tmp_path,
        check=True,
    )
    assert done.stdout == b"ready\n"
    assert not (tmp_path / "owned").exists()


def test_tracebacks_name_the_agents_modules_and_show_their_lines() -> None:
    source = zlib.decompress(bundle()).decode()
    source = source.replace(
        "from castoff_agent.main import serve\nserve()\n",
        "import traceback\n"
        "from castoff_agent.parameters import Parameters\n"
        "try: Parameters({}).text('root')\n"
        "except Exception: print(traceback.format_exc())\n",
    )
    done = subprocess.run(
        ["/bin/sh", "-c", bootstrap(sys.executable)],
        input=packed(source),
        stdout=subprocess.PIPE,
        check=True,
    )
    assert b'File "castoff_agent/parameters.py", line' in done.stdout
    assert b"raise _invalid(name" in done.stdout


def test_a_bare_start_loads_nothing_heavy() -> None:
    source = zlib.decompress(bundle()).decode()
    source += "import sys; sys.stderr.write(' '.join(sys.modules))\n"
    done = subprocess.run(
        ["/bin/sh", "-c", bootstrap(sys.executable)],
        input=packed(source),
        capture_output=True,
        check=True,
    )
    loaded = set(done.stderr.decode().split())
    assert "castoff_agent.main" in loaded
    heavy = {"ssl", "urllib", "http", "subprocess", "tempfile", "gzip", "shutil", "typing"}
    assert not loaded & (heavy | {"castoff_agent.download", "castoff_agent.prepare"})


def test_what_a_release_needs_is_loaded_without_what_takes_as_long_as_all_of_it() -> None:
    source = zlib.decompress(bundle()).decode()
    source += "import sys; sys.stderr.write(' '.join(sys.modules))\n"
    done = subprocess.run(
        ["/bin/sh", "-c", bootstrap(sys.executable)],
        input=packed(source) + b'{"id": 0, "op": "expect", "what": "prepare"}\n',
        capture_output=True,
        check=True,
    )
    loaded = set(done.stderr.decode().split())
    assert "castoff_agent.prepare" in loaded
    assert not loaded & {"typing", "subprocess", "ssl", "urllib"}


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
