"""What benchmarks of many tools have in common: what they are told, and which tools are there."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from common.tools import Unavailable
from release_work.ground import R
from release_work.peers.peer import Peer


def options_of(
    description: str | None, peers: Mapping[str, Peer[Any]], *, hosts: str, limit: float, small: str
) -> argparse.ArgumentParser:
    """Return a parser of the options that all such benchmarks have; the caller adds `--repeat`.

    Args:
        description: Of the benchmark.
        peers: All tools, by their names on the command line.
        hosts: More to say of `--hosts`.
        limit: Seconds for each command, unless told otherwise.
        small: What `--small` leaves out.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--hosts",
        type=lambda text: [int(word) for word in text.split(",")],
        default=[1, 4, 16],
        help=f"how many, separated by commas (default: 1,4,16{hosts})",
    )
    parser.add_argument(
        "--tools",
        type=lambda text: _names(text, peers),
        default=list(peers),
        help=f"which, separated by commas (default: {','.join(peers)})",
    )
    parser.add_argument(
        "--limit",
        type=float,
        default=limit,
        help=f"seconds for each command (default: {limit:g})",
    )
    parser.add_argument("--small", action="store_true", help=f"{small}: only to see that it runs")
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    parser.add_argument("--write", action="store_true", help="put them into RESULTS.md and plots/")
    return parser


def available(
    peers: Mapping[str, Peer[R]], names: Sequence[str]
) -> tuple[dict[Peer[R], str], list[str]]:
    """Get some tools; return the versions of those that can be had, and why the others cannot."""
    versions, absent = {}, []
    for name in names:
        peer = peers[name]
        try:
            versions[peer] = peer.get()
        except Unavailable as reason:
            absent.append(f"{peer.name}: {reason}")
            print(f"without {peer.name}: {reason}", file=sys.stderr)
        else:
            print(f"{peer.name}: {versions[peer]}", file=sys.stderr)
    return versions, absent


def _names(text: str, peers: Mapping[str, Peer[Any]]) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in peers:
            raise argparse.ArgumentTypeError(f"no tool {name!r}: {', '.join(peers)}")
    return names
