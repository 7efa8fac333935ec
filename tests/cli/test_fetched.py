"""How releases came to hosts is told in a line for all that fetched alike."""

from __future__ import annotations

from castoff.cli.render.fetched import fetched, fetched_lines


def test_each_way_has_its_bytes() -> None:
    assert fetched({"ranges": 2048, "patch": 83}) == "83 B by patch, 2.0 KiB in parts"
    assert fetched({"archive": 5}) == "5 B as a whole"
    assert fetched({}) == "nothing"
    assert fetched(None) == "-"


def test_hosts_that_fetched_alike_share_a_line() -> None:
    assert list(
        fetched_lines(
            {
                "web1": {"patch": 83},
                "web2": {"patch": 90},
                "web3": {"patch": 83, "ranges": 2048},
                "web4": {},
                "web5": None,
                "web6": {"archive": 10},
            }
        )
    ) == [
        "fetched by patch: web1, web2 (83 B to 90 B each)",
        "fetched by patch and in parts: web3 (2.1 KiB)",
        "fetched as a whole: web6 (10 B)",
    ]
