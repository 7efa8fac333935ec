"""One release as one HTML page that needs nothing else: no network, no script, no other file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined

from castoff.cli.render.came import commit_lists, plan_lines
from castoff.cli.render.downtime import downtime
from castoff.cli.render.fetched import fetched
from castoff.cli.render.picture import pictures, target
from castoff.cli.render.plain_text import plain
from castoff.cli.render.sizes import duration
from castoff.cli.render.step_table import serial_seconds, step_groups
from castoff.store.freeze import clock
from castoff.store.history import Entry, HostRow
from castoff.store.outcomes import Kind, Outcome

_TITLES: dict[Kind, str] = {
    "release": "Release of {app} {version} to {environment}",
    "rollback": "Rollback of {app} to {version} in {environment}",
    "activate": "Activation of {app} {version} in {environment}",
    "converge": "Convergence of {environment} to {app} {version}",
    "prepare": "Preparation of {app} {version} for {environment}",
}
_MEANINGS: dict[Outcome, str] = {
    "released": "{every} serves {version} and was found healthy.",
    "prepared": "{every} has {version} ready; what they serve was not touched.",
    "rolled back": "It failed after the barrier. {every} is back on what it served before.",
    "mixed": "It failed after the barrier, and not every host could be brought back.",
    "failed": "It was stopped by what is below.",
    "interrupted": "Its controller died before it came to an end.",
}


@dataclass(frozen=True, slots=True)
class _Log:
    """What one step printed."""

    identifier: str
    name: str
    took: str
    ok: bool
    output: str
    left_out: int
    lines: int


@dataclass(frozen=True, slots=True)
class _Host:
    """One host's row of the table of downtimes, and its logs."""

    name: str
    facts: str
    downtime: str
    ok: bool
    logs: tuple[_Log, ...]


def report_page(entry: Entry, remarks: tuple[str, ...] = (), *, app: str, environment: str) -> str:
    """Return the page of one history entry; the same entry always gives the same page.

    What hosts printed is outside text: it is escaped, and the page's own policy
    (Content-Security-Policy) forbids scripts and every load.
    """
    engine = Environment(
        autoescape=True,
        loader=FunctionLoader(_template),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    engine.filters["duration"] = _duration
    words = {
        "app": app,
        "environment": environment,
        "version": entry.version,
        "every": _every(entry),
    }
    serial = serial_seconds(entry)
    total = entry.ended - entry.started
    return engine.get_template("report.html").render(
        entry=entry,
        title=_TITLES[entry.kind].format_map(words),
        meaning=_MEANINGS[entry.outcome].format_map(words),
        detail=plain(entry.detail),
        remarks=[plain(line) for line in remarks],
        app=app,
        environment=environment,
        when=datetime.fromtimestamp(entry.started, tz=timezone.utc),
        total=total,
        worst=max(
            (down.seconds for host in entry.hosts if (down := downtime(entry, host)) is not None),
            default=None,
        ),
        pictures=pictures(entry),
        groups=step_groups(entry),
        serial=serial,
        times=serial / total if total > 0 else 0.0,
        hosts=tuple(_hosts(entry)),
        job=entry.job_url if entry.job_url.startswith(("https://", "http://")) else "",
        commits=commit_lists(entry),
        planned=tuple(plan_lines(entry)),
        quarantined=[(one.name, clock(one.since), plain(one.why)) for one in entry.quarantined],
    )


def _every(entry: Entry) -> str:
    if entry.quarantined:
        return "Every host that took part"
    return "Each of the chosen hosts" if entry.only else "Every host"


def _hosts(entry: Entry) -> Iterator[_Host]:
    for number, host in enumerate(entry.hosts):
        down = downtime(entry, host)
        facts = [", ".join(host.roles)]
        if host.flipped is not None:
            facts.append(f"flip at {host.flipped - entry.started:.2f} s")
        if host.healthy is not None:
            facts.append(f"healthy at {host.healthy - entry.started:.2f} s")
        elif down is not None:
            facts.append(f"never healthy in {entry.version}, counted to its last step")
        if host.fetched is not None:
            facts.append(f"fetched {fetched(host.fetched)}")
        yield _Host(
            name=host.name,
            facts=" · ".join(fact for fact in facts if fact),
            downtime=_duration(None if down is None else down.seconds),
            ok=all(step.ok or step.retried for step in host.steps),
            logs=tuple(_logs(host, number)),
        )


def _logs(host: HostRow, number: int) -> Iterator[_Log]:
    for index, step in enumerate(host.steps):
        yield _Log(
            identifier=target(number, index),
            name=step.name,
            took=duration(step.seconds),
            ok=step.ok,
            output=plain("\n".join(step.output)),
            left_out=step.left_out,
            lines=len(step.output),
        )


def _duration(seconds: float | None) -> str:
    return "–" if seconds is None else duration(seconds)  # noqa: RUF001 (none)


def _template(name: str) -> str:
    folder = files("castoff.cli.render").joinpath("templates")
    return folder.joinpath(name).read_text(encoding="utf-8")
