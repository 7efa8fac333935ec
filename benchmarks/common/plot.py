"""Draw results as SVG. Needs matplotlib: `uv pip install --group benchmark`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Castoff stands out; its peers are told apart by shade and mark.
OURS = "#c2410c"
_PEERS = ("#1e3a5f", "#3f6c94", "#6b93b5", "#8a8f98", "#4b5563", "#9ca3af", "#2f7d6b")
_MARKS = "osD^vPX"


@dataclass(frozen=True)
class Panel:
    """One diagram of lines.

    Attributes:
        lines: For each name, the points (x, y) in the order of x.
        ours: Names of the lines that are Castoff's.
        log: Whether the y axis is logarithmic.
        doubling: Whether the x axis is logarithmic, with a mark at each x.
    """

    title: str
    x_label: str
    y_label: str
    lines: Mapping[str, Sequence[tuple[float, float]]]
    ours: Sequence[str]
    log: bool = True
    doubling: bool = True


@dataclass(frozen=True)
class Bars:
    """One diagram of horizontal bars: for each name a value, longest name first."""

    title: str
    x_label: str
    values: Mapping[str, float]
    ours: Sequence[str]
    log: bool = False


def draw(path: Path, panels: Sequence[Panel | Bars]) -> None:
    """Write panels side by side, the same bytes for the same figures."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.hashsalt": "castoff", "font.size": 9, "axes.titlesize": 10})
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(
        1, len(panels), figsize=(5.2 * len(panels), 4.2), squeeze=False, layout="constrained"
    )
    for axis, panel in zip(axes[0], panels, strict=True):
        axis.set_title(panel.title, loc="left")
        axis.set_xlabel(panel.x_label)
        axis.spines[["top", "right"]].set_visible(False)
        if isinstance(panel, Panel):
            _lines(axis, panel)
        else:
            _bars(axis, panel)
    first = panels[0]
    if isinstance(first, Panel):
        figure.legend(
            *axes[0][0].get_legend_handles_labels(),
            loc="outside lower center",
            ncols=3,
            frameon=False,
        )
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    plt.close(figure)


def _lines(axis: Any, panel: Panel) -> None:
    from matplotlib.ticker import LogLocator

    peers = 0
    for name, points in panel.lines.items():
        ours = name in panel.ours
        rank = panel.ours.index(name) if ours else peers
        axis.plot(
            *zip(*points, strict=True),
            label=name,
            color=OURS if ours else _PEERS[peers % len(_PEERS)],
            linestyle="-" if not (ours and rank) else "--",
            linewidth=2.4 if ours else 1.2,
            marker=_MARKS[rank % len(_MARKS)],
            markersize=4,
            zorder=3 if ours else 2,
        )
        peers += not ours
    if panel.doubling:
        ticks = sorted({x for points in panel.lines.values() for x, _ in points})
        axis.set_xscale("log", base=2)
        axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axis.minorticks_off()
    if panel.log:
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter("")
    else:
        axis.set_ylim(bottom=0)
    axis.set_ylabel(panel.y_label)
    axis.grid(axis="y", color="#e5e7eb", zorder=0)


def _bars(axis: Any, panel: Bars) -> None:
    names = list(panel.values)
    axis.barh(
        names,
        list(panel.values.values()),
        color=[OURS if name in panel.ours else _PEERS[1] for name in names],
        zorder=2,
    )
    axis.invert_yaxis()
    if panel.log:
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter("{x:g}")
    axis.grid(axis="x", color="#e5e7eb", zorder=0)
