"""The engine's process: a document on standard input, what it tells on standard output."""

from __future__ import annotations

# Before anything else is loaded: what was imported unpatched would wait for all others.
from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402

from castoff.provisioner.engine.reach import reach  # noqa: E402
from castoff.provisioner.engine.report import Report  # noqa: E402
from castoff.provisioner.engine.work import work  # noqa: E402
from castoff.provisioner.thing import Thing  # noqa: E402


def main() -> None:
    """Do what the document says; see `castoff.provisioner.run`, which writes it."""
    report = Report(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    # What a library prints is none of our lines.
    os.dup2(2, 1)
    logging.getLogger("pyinfra").addHandler(logging.NullHandler())
    logging.getLogger("pyinfra").propagate = False
    document = json.loads(sys.stdin.buffer.read())
    links, misses = reach(
        document["hosts"],
        document["known_hosts"],
        at_once=document["at_once"],
        timeout=document["connect_timeout"],
    )
    try:
        for miss in misses:
            report.unreachable(miss.host, miss.detail, miss.hint, miss.code)
        # Nothing is begun that could not be done everywhere; looking does no harm.
        if links and (document["check"] or not misses):
            things = {
                host["name"]: [Thing(**thing) for thing in host["things"]]
                for host in document["hosts"]
                if host["name"] in links
            }
            work(
                things, links, report, check=document["check"], timeout=document["command_timeout"]
            )
    finally:
        for link in links.values():
            link.close()
    report.end()
