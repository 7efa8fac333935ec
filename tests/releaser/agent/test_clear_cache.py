"""Caches are cleared: as much as was asked for, and no more; against the real servers."""

from __future__ import annotations

import itertools
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from support.agent_client import AgentFailure
from support.memcached import memcached
from support.ports import free_ports
from support.redis_server import PASSWORD, Redis, redis_server
from support.released import Released, again, listens, released
from support.traps import wait_until
from support.varnish import varnish


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with redis_server(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture
def app(root: Path) -> Iterator[Released]:
    with released(root) as app:
        yield app


def clear(app: Released, **options: Any) -> str:
    more = {"timeout": options.pop("timeout", 20)}
    app.perform("clear_cache", "1.0", options, **more)
    return app.client.output


def fill(redis: Redis) -> None:
    redis.cli("FLUSHALL")
    lines = [f"SET shop:{number} x" for number in range(2500)]
    lines += ["SET shopkeeper x", "SET other x", 'SET "a[b]*:1" x', "SET a[b]-:1 x", "SET ab x"]
    redis.cli(given="\n".join(lines))
    redis.cli("SET", "elsewhere", "x", database=1)


def test_keys_of_a_prefix_go_and_all_others_stay(app: Released, redis: Redis) -> None:
    fill(redis)
    url = f"redis://:p4ss%3Aw%C3%B6rd@127.0.0.1:{redis.port}/0"
    said = clear(app, redis={"url": url, "prefix": "shop:"})
    assert said == f"Redis at 127.0.0.1:{redis.port}: 2500 keys removed\n"
    rest = {"shopkeeper", "other", "a[b]*:1", "a[b]-:1", "ab"}
    assert redis.keys() == rest
    # What means something in a pattern means itself in a prefix.
    clear(app, redis={"url": url, "prefix": "a[b]*"})
    assert redis.keys() == rest - {"a[b]*:1"}
    assert redis.keys(1) == {"elsewhere"}
    assert "p4ss" not in app.client.heard.decode()


def test_a_whole_database_or_server_goes_only_if_that_is_asked_for(
    app: Released, redis: Redis
) -> None:
    fill(redis)
    url = f"unix://{redis.unix}"
    login = {"password": PASSWORD}
    clear(app, redis={"url": f"{url}?db=1", **login, "flush": "database"})
    assert redis.keys(1) == set()
    assert len(redis.keys()) == 2505
    clear(app, redis={"url": url, **login, "flush": "server"})
    assert redis.keys() == set()


def test_what_redis_refuses_is_told_without_the_password(app: Released, redis: Redis) -> None:
    with pytest.raises(AgentFailure, match="says: NOAUTH"):
        clear(app, redis={"url": f"redis://127.0.0.1:{redis.port}", "prefix": "a"})
    with pytest.raises(AgentFailure, match="says: WRONGPASS"):
        clear(app, redis={"url": f"redis://:wr0ng@127.0.0.1:{redis.port}", "prefix": "a"})
    with pytest.raises(AgentFailure, match="the URL of a Redis cannot be used"):
        clear(app, redis={"url": f"http://:{PASSWORD}@x:1/", "prefix": "a"})
    assert b"wr0ng" not in app.client.heard
    assert PASSWORD.encode() not in app.client.heard


@pytest.mark.parametrize("kind", ["redis", "memcached"])
def test_a_server_that_is_silent_or_gone_costs_no_more_than_the_limit(
    kind: str, app: Released
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        place: Any = f"127.0.0.1:{port}"
        if kind == "redis":
            place = {"url": f"redis://127.0.0.1:{port}", "prefix": "a"}
        with pytest.raises(AgentFailure) as caught:
            clear(app, **{kind: place}, timeout=0.5)
        assert caught.value.code == "step-timeout"
    with pytest.raises(AgentFailure, match="Connection refused"):
        clear(app, **{kind: place})


def test_a_url_or_varnish_that_is_silent_costs_no_more_than_the_limit(
    app: Released, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("s\n")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        url = {"url": f"http://{place}/", "method": "PURGE", "status": 200}
        with pytest.raises(AgentFailure, match="no answer in time"):
            clear(app, url=url, timeout=0.5)
        secret = str(tmp_path / "secret")
        with pytest.raises(AgentFailure) as caught:
            clear(
                app,
                varnish={"ban": "obj.status != 0", "address": place, "secret_file": secret},
                timeout=0.5,
            )
        assert caught.value.code == "step-timeout"


def test_a_clearing_that_was_killed_half_way_is_done_again(app: Released, redis: Redis) -> None:
    fill(redis)
    login = {"password": PASSWORD, "prefix": "shop:"}
    table = {"redis": {"url": f"redis://127.0.0.1:{redis.port}", **login}}
    # Redis tells the keys, and holds what removes them back.
    redis.cli("CLIENT", "PAUSE", "60000", "WRITE")
    app.client.post("built_in", **app.request("clear_cache", "1.0", table))
    wait_until(lambda: "cmd=unlink" in redis.cli("CLIENT", "LIST"), "nothing is being removed")
    app.client.process.kill()
    app.client.wait()
    redis.cli("CLIENT", "UNPAUSE")
    with again(app):
        clear(app, **table)
    assert redis.keys() == {"shopkeeper", "other", "a[b]*:1", "a[b]-:1", "ab"}


@pytest.mark.parametrize("unix", [False, True])
def test_memcached_forgets_everything(unix: bool, app: Released, tmp_path: Path) -> None:
    with memcached(tmp_path / "mc.sock" if unix else None) as server:
        server.set("greeting", "hello")
        assert server.has("greeting")
        clear(app, memcached=server.address)
        assert not server.has("greeting")


@contextmanager
def counted() -> Iterator[int]:
    """Serve pages that say how often they were made; yield the port."""
    made = itertools.count(1)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = str(next(made)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "max-age=3600")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def page(port: int, path: str) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
        return int(response.read())


def test_varnish_fetches_anew_what_was_banned_or_purged(app: Released, tmp_path: Path) -> None:
    with counted() as origin, varnish(tmp_path, origin) as cache:
        a, b = page(cache.port, "/a"), page(cache.port, "/b")
        assert [page(cache.port, "/a"), page(cache.port, "/b")] == [a, b]

        instance = str(cache.instance)
        clear(app, varnish={"ban": r'obj.http.x-url ~ "^/a$"', "instance": instance})
        again = page(cache.port, "/a")
        assert again > b
        assert page(cache.port, "/b") == b

        address, secret = f"127.0.0.1:{cache.admin}", str(cache.secret)
        clear(app, varnish={"ban": "obj.status != 0", "address": address, "secret_file": secret})
        everything = page(cache.port, "/b")
        assert everything > again

        purge = {"url": f"http://127.0.0.1:{cache.port}/b", "method": "PURGE", "status": 200}
        clear(app, url=purge)
        assert page(cache.port, "/b") > everything

        with pytest.raises(AgentFailure, match="varnishadm failed with exit status"):
            clear(app, varnish={"ban": "nonsense", "instance": instance})
        with pytest.raises(AgentFailure, match="status 200 instead of 204"):
            clear(app, url={**purge, "status": 204})
    with pytest.raises(AgentFailure, match="varnishadm failed"):
        clear(app, varnish={"ban": "obj.status != 0", "instance": instance})


@contextmanager
def caching_nginx(folder: Path, origin: int) -> Iterator[int]:
    (port,) = free_ports(1)
    (folder / "logs").mkdir(parents=True)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    (folder / "nginx.conf").write_text(f"""
user root; worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/logs/error.log;
events {{ worker_connections 64; }}
http {{
access_log off;
{temporary}
proxy_cache_path {folder}/cache levels=1:2 keys_zone=shop:1m inactive=1h;
server {{
    listen 127.0.0.1:{port};
    location / {{
        proxy_pass http://127.0.0.1:{origin};
        proxy_cache shop;
        proxy_cache_key $uri;
        proxy_cache_valid 200 1h;
    }}
}}
}}
""")
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: listens(port), "nginx does not start")
        yield port
    finally:
        process.terminate()
        process.wait()


def test_nginx_fetches_anew_what_was_removed(app: Released, tmp_path: Path) -> None:
    folder = tmp_path / "nginx"
    outside = tmp_path / ("0" * 32)
    outside.write_text("stays")
    with counted() as origin, caching_nginx(folder, origin) as port:
        paths = ("/shop/a", "/shop/b", "/other")
        first = [page(port, path) for path in paths]
        assert [page(port, path) for path in paths] == first
        cache = {"folder": str(folder / "cache")}
        (folder / "cache" / "a").mkdir(exist_ok=True)
        (folder / "cache" / "a" / "zz").symlink_to(tmp_path)
        upload = folder / "cache" / ("1" * 32)
        upload.write_text("no head of nginx's")

        said = clear(app, nginx={**cache, "prefix": "/shop/"})
        assert said == f"{folder}/cache: 2 files removed\n"
        second = [page(port, path) for path in paths]
        assert second[2] == first[2]
        assert not set(second[:2]) & set(first)

        clear(app, nginx={**cache, "prefix": None})
        assert not {page(port, path) for path in paths} & {*first, *second}
        assert outside.read_text() == "stays"
        assert upload.read_text() == "no head of nginx's"


def test_a_folder_that_is_no_cache_of_nginx_is_left_alone(app: Released, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "cat.jpg").touch()
    with pytest.raises(AgentFailure, match=r"is no cache of nginx: it holds 'cat\.jpg'"):
        clear(app, nginx={"folder": str(photos)})
    with pytest.raises(AgentFailure, match=r"No such file or directory: .*nowhere"):
        clear(app, nginx={"folder": str(tmp_path / "nowhere")})
    link = tmp_path / "link"
    link.symlink_to(photos)
    with pytest.raises(AgentFailure, match="Not a directory"):
        clear(app, nginx={"folder": str(link)})
