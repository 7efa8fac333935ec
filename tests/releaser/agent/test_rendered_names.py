"""Names of rendered sets, which everybody may see, say nothing of what is in them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from castoff.releaser.agent.layout import Layout
from castoff.releaser.agent.rendered import Rendered, name_of


def test_they_hang_on_what_only_the_host_knows(tmp_path: Path) -> None:
    weak = Rendered("env", hashlib.sha256(b"PIN=1234").hexdigest(), 0o600, None, None, None)
    names = []
    for host in ("web1", "web2"):
        layout = Layout(str(tmp_path / host))
        layout.make()
        names += [name_of(layout, [weak]), name_of(layout, [weak])]
        assert Path(layout.salt).stat().st_mode & 0o777 == 0o600
    assert names[0] == names[1] != names[2] == names[3]
