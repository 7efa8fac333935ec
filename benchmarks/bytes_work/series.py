"""Twenty-one consecutive versions of one application: ten weeks of its life, two releases a week.

On Mondays the lock is what an installer would have resolved on that very day (`uv pip compile
--exclude-newer`), so that packages are bumped when they really were. Code changes in every
release, stylesheets, scripts and pictures on Thursdays. All of it follows from the release's
number: each run makes the same series.
"""

from __future__ import annotations

import datetime as dt
import random
import subprocess
import sys
from pathlib import Path

from build_project.generate import APPS, write_project
from PIL import Image
from uv import find_uv_bin

from common.hosts import Site

APP = "shop"
_REQUIREMENTS = Path(__file__).with_name("requirements.in")
RELEASES = 20
_FIRST_MONDAY = dt.date(2026, 4, 6)
_WEEK = dt.timedelta(days=7)
_WORDS = (
    *("amount", "basket", "carrier", "customer", "discount", "due", "entry", "invoice", "label"),
    *("limit", "line", "note", "order", "parcel", "partner", "payment", "price", "quantity"),
    *("rate", "refund", "review", "rule", "sender", "stock", "sum", "tax", "total", "weight"),
)

_FUNCTION = '''

def {name}({arguments}):
    """Return the {first} that is due for a {second}."""
    {first} = Decimal({number})
    for one in ({arguments},):
        if one is not None and one != {first}:
            {first} += one * TAX
    return max({first}, FREE_SHIPPING_FROM)
'''
_RULE = """
.{name} {{
  margin: {number}px;
  &__{first} {{ color: v.$accent; padding: v.step({step}); }}
  @include v.from(medium) {{ &__{second} {{ grid-column: span {step}; }} }}
}}
"""
_SCRIPT = """
export function {name}(root) {{
  const {first} = root.querySelectorAll("[data-{second}]");
  return [...{first}].filter((one) => one.dataset.{second} > {number});
}}
"""


class Series:
    """The application's repository, and each version's archive once it is built."""

    def __init__(self, folder: Path, *, small: bool, variables: dict[str, str]) -> None:
        self._small = small
        self.site = Site(folder / "site", variables=variables)
        write_project(self.site.folder, with_assets=not small)
        if small:
            (self.site.folder / "requirements.txt").unlink()
        own = (self.site.folder / "castoff.toml").read_text(encoding="utf-8")
        self._apps = own[own.index("[apps.") :]
        # It names the store and the host, which differ by the way that a release takes.
        self.site.write({".gitignore": "artifacts/\ncastoff.toml\n"})
        self.write_settings("")

    def write_settings(self, text: str) -> None:
        """Write castoff.toml: how to build, and what else is said."""
        self.site.write({"castoff.toml": f"{text}\n{self._apps}"})

    def build(self, number: int) -> int:
        """Build a release; number 0 is what a host has before the series.

        Returns:
            How many dependencies have another version than in the release before.
        """
        bumped = self._lock(number) if number % 2 == 0 and not self._small else 0
        if number:
            noise = random.Random(number)
            self._change_code(noise, number)
            if number % 2:
                self._change_assets(noise, number)
        self.site.commit(f"release {number}")
        self.castoff("build", "--version", str(number))
        return bumped

    def archive(self, number: int) -> Path:
        """Return a release's archive, as Castoff built it."""
        return self.site.folder / "artifacts" / f"{APP}-{number}.tar.gz"

    def castoff(self, *words: str) -> str:
        """Run the command line; return what it prints.

        Raises:
            RuntimeError: It failed.
        """
        outcome = self.site.castoff(*words, timeout=900)
        if outcome.code:
            raise RuntimeError(f"castoff {' '.join(words)}: {outcome.err}")
        return outcome.out

    def _lock(self, number: int) -> int:
        """Lock the dependencies as of the Monday of a release; return how many are new."""
        path = self.site.folder / "requirements.txt"
        before = _pins(path)
        day = _FIRST_MONDAY + number // 2 * _WEEK
        argv = [find_uv_bin(), "pip", "compile", "-q", "--no-header", "--no-annotate", "--upgrade"]
        argv += ["--generate-hashes", "--python", sys.executable, "--output-file", str(path)]
        argv += ["--exclude-newer", day.isoformat(), str(_REQUIREMENTS)]
        subprocess.run(argv, check=True, capture_output=True, text=True)
        return len(_pins(path) - before)

    def _change_code(self, noise: random.Random, number: int) -> None:
        """Add functions to some apps, as a few days' work does."""
        for app in noise.sample(APPS, noise.randint(1, 5)):
            path = self.site.folder / app / "services.py"
            text = "".join(
                _FUNCTION.format(
                    name=f"{noise.choice(_WORDS)}_of_{noise.choice(_WORDS)}_{number}_{turn}",
                    arguments=", ".join(noise.sample(_WORDS[5:], 3)),
                    first=_WORDS[noise.randrange(5)],
                    second=noise.choice(_WORDS),
                    number=noise.randint(1, 999),
                )
                for turn in range(noise.randint(1, 6))
            )
            path.write_text(path.read_text() + text)

    def _change_assets(self, noise: random.Random, number: int) -> None:
        """Add rules and functions to some stylesheets and scripts, and a picture."""
        sources = self.site.folder / "frontend"
        for app in noise.sample(APPS, noise.randint(1, 3)):
            for path, text in (
                (sources / "scss" / app / "_list.scss", _RULE),
                (sources / "js" / app / "list.js", _SCRIPT),
            ):
                words = noise.sample(_WORDS, 2)
                added = text.format(
                    name=f"{words[0]}{number}",
                    first=words[0],
                    second=words[1],
                    number=noise.randint(1, 99),
                    step=noise.randint(1, 9),
                )
                path.write_text(path.read_text() + added)
        picture = sources / "pictures" / f"{noise.choice(_WORDS)}-{number}.webp"
        picture.parent.mkdir(exist_ok=True)
        # Of noise, which makes some 10 to 60 kB that nothing makes smaller: what pictures are like.
        side = noise.randint(110, 290)
        pixels = noise.randbytes(3 * side * side)
        Image.frombytes("RGB", (side, side), pixels).save(picture, "WEBP", quality=80)


def _pins(lock: Path) -> set[str]:
    lines = lock.read_text(encoding="utf-8").splitlines()
    return {line.split()[0] for line in lines if "==" in line and not line.startswith("#")}
