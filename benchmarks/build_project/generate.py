"""Write the Django application: a shop of a dozen apps, with models, an API, templates and assets.

Its dependencies are real and locked in requirements.txt beside this file; its own code is made
here, in the amount and manner of a middling project: about 160 Python files, 60 templates,
50 stylesheets and 40 scripts. The same call always writes the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from build_project import assets, code

HERE = Path(__file__).resolve().parent
APPS = (
    "accounts", "basket", "billing", "catalogue", "checkout", "content",
    "orders", "partners", "reviews", "shipping", "stock", "support",
)  # fmt: skip

_CASTOFF = """\
[store]
url = "file:///srv/castoff-benchmark"

[apps.shop]

[apps.shop.build]
format = "tarball"
"""

_CASTOFF_ASSETS = """
[apps.shop.assets]
sources = ["frontend"]
collectstatic = true

[apps.shop.assets.env]
DJANGO_SETTINGS_MODULE = "shop.settings"
"""

# What each change writes: one line of code, one stylesheet.
CODE = "catalogue/services.py"
ASSET = "frontend/scss/catalogue/_list.scss"


def write_project(folder: Path, *, with_assets: bool) -> None:
    """Write the whole project into an empty folder.

    Args:
        folder: Where to.
        with_assets: Whether castoff.toml asks for assets to be built.
    """
    files: dict[str, str] = {
        "castoff.toml": _CASTOFF + (_CASTOFF_ASSETS if with_assets else ""),
        "requirements.txt": (HERE / "requirements.txt").read_text(encoding="utf-8"),
        **code.project(APPS),
        **assets.sources(APPS),
    }
    for app in APPS:
        files |= {f"{app}/{name}": text for name, text in code.app(app).items()}
    _write(folder, files)


def change_code(folder: Path, turn: int) -> None:
    """Change one line of one module; each turn gives another line."""
    _edit(folder / CODE, "FREE_SHIPPING_FROM = ", f"FREE_SHIPPING_FROM = Decimal({101 + turn})")


def change_asset(folder: Path, turn: int) -> None:
    """Change one line of one stylesheet; each turn gives another line."""
    _edit(folder / ASSET, "$gap: ", f"$gap: {11 + turn}px;")


def _edit(path: Path, start: str, line: str) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    number = next(number for number, old in enumerate(lines) if old.startswith(start))
    lines[number] = line
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
