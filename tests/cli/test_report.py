"""The page of one release: what it says, and that nothing from outside can do anything in it."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

from castoff.cli.render.report_page import report_page
from castoff.store import history, remarks
from castoff.store.file import FileStore
from castoff.store.history import Draft, Entry
from support.entries import entry, released, rolled_back, with_commits_and_plan
from support.site import Site

HOSTILE = "</pre></details><script>alert(1)</script><img src=//evil.example onerror=alert(2)>"
CONFIG = '[apps.shop]\n[environments.production]\nhosts = [{ name = "web1" }]\n'


def page(of: Entry) -> str:
    return report_page(of, app="shop", environment="production")


def words(markup: str) -> str:
    """Return what a reader reads of a page, with single spaces."""
    body = re.sub(r"<style>.*?</style>", " ", markup, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def test_it_says_what_was_done_by_whom_when_and_how_it_ended() -> None:
    text = words(page(released()))
    assert "Release of shop 2.0 to production" in text
    assert "Every host serves 2.0 and was found healthy." in text
    assert "2026-11-24 19:03:20 UTC" in text
    assert "ana@laptop" in text
    assert "1.9 → 2.0" in text
    assert "c" * 40 in text


def test_a_release_to_some_hosts_does_not_speak_of_all() -> None:
    text = words(page(released(2).model_copy(update={"only": "web1, web2"})))
    assert "Each of the chosen hosts serves 2.0 and was found healthy." in text
    assert "Chosen hosts web1, web2" in text
    assert "Every host" not in text


def test_it_has_the_figures_and_the_computed_comparison() -> None:
    text = words(page(released()))
    assert "Total time 12.00 s Activation 1.25 s" in text
    assert "Longest potential downtime 1.25 s Skew of the flips 3 ms" in text
    assert "web1 + web2 + web3: prepare 4.00 – 9.00 s" in text  # noqa: RUF001 (a range)
    assert "Total time to deploy 12.00 s Total time to activate 1.25 s" in text
    assert "computed, not measured" in text
    assert "1.7 times the total above 20.35 s" in text
    assert "web1 web, db · flip at 10.50 s · healthy at 11.25 s 1.25 s" in text


def test_one_host_alone_is_compared_with_nothing() -> None:
    assert "computed" not in words(page(released(1)))


def test_a_failure_is_told_and_its_log_is_open() -> None:
    markup = page(rolled_back())
    text = words(markup)
    assert "What went wrong 2.0 failed after the barrier web2: status 500" in text
    assert "7 earlier lines were not kept." in text
    assert "never healthy in 2.0, counted to its last step 3.00 s" in text
    assert "Longest potential downtime 3.00 s" in text
    assert markup.count('<details class="host" open>') == 1
    assert markup.count('<details class="log failed" open>') == 1


def test_a_run_whose_controller_died_has_a_page_too() -> None:
    text = words(page(entry((), outcome="interrupted", detail="it died in 'prepare'")))
    assert "No step of this run was recorded." in text
    assert "it died in 'prepare'" in text


def test_what_hosts_print_stays_text() -> None:
    bad = released(said=HOSTILE).model_copy(update={"detail": HOSTILE, "who": HOSTILE})
    markup = page(bad)
    assert "<script" not in markup
    assert "<img" not in markup
    assert markup.count(html.escape(HOSTILE, quote=False)) == 5
    assert "default-src 'none'" in markup


def test_it_names_the_commits_between_the_plan_and_the_job() -> None:
    markup = page(with_commits_and_plan(released()))
    text = words(markup)
    assert "70 commits came with 2.0 0000000 Sell socks 0 0000001 Sell socks 1" in text
    assert "and 20 more" in text
    assert "1 commit went with 1.9 fffffff Sell umbrellas" in text
    assert "web1 served 1.9 · group 1 · before_activate: drain · activate: restart had it" in text
    assert "web3 served 1.9 · group 3 · before_activate: drain · activate: restart 50.0 MiB" in text
    assert "Once, before any host flips: migrate on web1" in text
    assert "Links into shared/ on each host: media/" in text
    assert 'ana@laptop, in <a href="https://ci.example/jobs/7?tab=log" rel=' in markup


def test_what_is_not_known_has_no_section() -> None:
    text = words(page(released()))
    for absent in ("Commits", "Plan", "a CI job"):
        assert absent not in text


def test_a_job_that_is_no_page_is_no_link_and_a_subject_stays_text() -> None:
    bad = with_commits_and_plan(released(), subject=HOSTILE)
    markup = page(bad.model_copy(update={"job_url": "javascript:alert(1)"}))
    assert "javascript" not in markup
    assert "<script" not in markup
    assert "<img" not in markup


def test_nothing_is_loaded_from_anywhere() -> None:
    markup = page(rolled_back())
    assert not re.search(r"""(?:src|href)\s*=\s*["'](?!#|data:,["'])""", markup)
    assert "url(" not in markup
    assert "@import" not in markup


def test_every_bar_leads_to_a_log_that_is_there_once() -> None:
    markup = page(released())
    identifiers = re.findall(r' id="([^"]+)"', markup)
    assert len(identifiers) == len(set(identifiers))
    targets = set(re.findall(r'href="#([^"]+)"', markup))
    assert len(targets) == 18
    assert targets <= set(identifiers)


def test_the_same_entry_gives_the_same_page() -> None:
    assert page(released()) == page(released())


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a project with two entries in its history: 1.9 rolled back, then 2.0 released."""
    site = Site(tmp_path / "site")
    site.write({"castoff.toml": CONFIG})
    folder = site.folder / "artifacts" / "store"
    store = FileStore(folder, url="file://artifacts/store")
    for made in (rolled_back(), released()):
        draft = {key: value for key, value in dict(made).items() if key != "number"}
        history.append(store, "shop", "production", Draft(**draft))
    return site


def test_the_newest_release_is_written_beside_one_and_its_path_printed(site: Site) -> None:
    outcome = site.castoff("report")
    assert (outcome.code, outcome.out) == (0, "release-production-2.html\n"), outcome.err
    written = (site.folder / "release-production-2.html").read_text(encoding="utf-8")
    assert "Entry 2 in the history" in words(written)


def test_any_release_can_be_chosen_and_go_to_a_file_or_a_pipe(site: Site) -> None:
    assert site.castoff("report", "1", "--output", "page.html").out == "page.html\n"
    piped = site.castoff("report", "1", "-o", "-")
    assert piped.out == (site.folder / "page.html").read_text(encoding="utf-8")
    assert "rolled back" in words(piped.out)


def test_json_is_the_entry_with_all_that_it_holds(site: Site) -> None:
    found = site.castoff("report", "1", "--json").json
    assert (found["schema"], found["number"]) == (1, 1)
    assert found["hosts"][1]["steps"][2]["output"] == ["500"]
    assert site.castoff("history", "1", "--json").json == found
    assert not list(site.folder.glob("*.html"))


def test_the_template_engine_is_loaded_for_a_page_alone() -> None:
    loads = "import castoff.cli.main, castoff.cli.report, sys; print('jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", loads], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


def test_what_is_not_there_is_named(site: Site) -> None:
    missing = site.castoff("report", "9")
    assert (missing.code, missing.out) == (2, "")
    assert "no entry 9" in missing.err
    nowhere = site.castoff("report", "--output", "no/such/folder.html")
    assert nowhere.code == 2
    assert "no/such/folder.html" in nowhere.err


def test_history_of_one_entry_shows_the_steps_of_each_host(site: Site) -> None:
    text = " ".join(site.castoff("history", "1").out.split())
    assert "#1: release 2.0 (from 1.9, commit cccccccccc), rolled back" in text
    assert "web2: status 500" in text
    assert "health 1.30 s FAILED 2.80 s" in text
    assert "potential downtime 1.00 s -" in text
    assert "total 9.00 s, activation 1.00 s, skew of the flips 0 ms" in text


def test_what_was_remarked_after_a_run_is_told_of_it_everywhere(site: Site) -> None:
    line = "notification 'board' of the run's end was not sent: <b>500</b>"
    store = FileStore(site.folder / "artifacts" / "store", url="file://artifacts/store")
    remarks.write(store, "shop", "production", remarks.Remarks(number=1, remarks=(line,)))
    assert f"#1: {line}" in " ".join(site.castoff("history").out.split())
    assert f"note: {line}" in " ".join(site.castoff("history", "1").out.split())
    newest, older = site.castoff("history", "--json").json
    assert (newest["remarks"], older["remarks"]) == ([], [line])
    assert site.castoff("history", "1", "--json").json["remarks"] == [line]
    page = site.castoff("report", "1", "-o", "-").out
    assert f"After it {line}" in words(page)
    assert "<b>500</b>" not in page
    assert "After it" not in words(site.castoff("report", "2", "-o", "-").out)


def test_history_of_many_leaves_their_output_out(site: Site) -> None:
    newest, _ = site.castoff("history", "--json").json
    (step, *_) = newest["hosts"][0]["steps"]
    assert step["name"] == "connect"
    assert "output" not in step
