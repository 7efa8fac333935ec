"""Castoff: `castoff build`, `castoff push` and `castoff release`, one after the other."""

from __future__ import annotations

from release_work.ground import Ground
from release_work.peers.ours import Castoff as CastoffTool
from release_work.peers.peer import Command
from release_work.repository import Repository

from commit_work.steps import DATABASE
from support.site import CASTOFF

_MIGRATE = f"""
[[environments.@.steps]]
name = "migrate"
moment = "once"
env = {{ DATABASE = "{DATABASE}" }}
migrate = {{ preset = "django" }}
"""
_SCRIPT = """
castoff={castoff} version=$0 environment=$1
$castoff build --version "$version"
$castoff push "$version"
$castoff release "$version" --env "$environment"
"""

# What `collectstatic` has gathered goes to the release as it is, as with all other tools.
AS_GATHERED = """collectstatic = true
minify_js = "none"
minify_css = "none"
minify_html = "none"
minify_svg = "none"
png = "none"
jpeg = "none"
gif = "none"
webp = "none"
encodings = []
unhashed = ["*"]
"""
# What Castoff does to assets unless it is told not to.
WITH_ITS_PIPELINE = "collectstatic = true\n"


class Castoff(CastoffTool):
    """From the working tree.

    Args:
        name: What it is called in results.
        assets: TOML of the app's table of assets.
    """

    def __init__(self, name: str, assets: str) -> None:
        super().__init__(name, more=_MIGRATE)
        self.assets = assets

    def release(self, ground: Ground[Repository], version: str) -> Command:
        """Return the three commands."""
        return self.command(
            ground, "sh", "-e", "-c", _SCRIPT.format(castoff=CASTOFF), version, self.environment
        )
