from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

from support.asset_builds import PLAIN, Build

MODULES = {
    "js/lib/one.js": "export default 1;\n",
    "js/lib/deep/t wo.mjs": "export default 2;\n",
    "js/lib/data.json": "{}",
    "js/lib/read.txt": "no module",
    "js/lib/sw.js": "// keeps its name\n",
    "js/other.js": "export default 3;\n",
}


class Maps(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Any] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = (tag, dict(attrs).get("type")) == ("script", "importmap")

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found.append(json.loads(data))
            self._inside = False


def the_map(page: str) -> Any:
    parser = Maps()
    parser.feed(page)
    (found,) = parser.found
    return found


def test_each_module_of_a_mapped_folder_is_named(build: Build) -> None:
    wanted = {
        "imports": {"lib/": "./js/lib/", "lib/one.js": "/static/js/other.js"},
        "scopes": {"/static/js/": {"own/": "/static/js/lib/deep/", "far/": "https://x.org/js/"}},
    }
    page = f'<h1>é</h1>\n<script type="importmap">\r\n{json.dumps(wanted)}</script>'
    built = build({**MODULES, "index.html": page})

    found = the_map(built.text("index.html"))

    deep = built.path("js/lib/deep/t wo.mjs").rpartition("/")[2].replace(" ", "%20")
    assert found == {
        "imports": {
            "lib/": "./js/lib/",
            "lib/one.js": f"/static/{built.path('js/other.js')}",
            "lib/data.json": f"./{built.path('js/lib/data.json')}",
            "lib/deep/t wo.mjs": f"./js/lib/deep/{deep}",
        },
        "scopes": {
            "/static/js/": {
                "own/": "/static/js/lib/deep/",
                "own/t wo.mjs": f"/static/js/lib/deep/{deep}",
                "far/": "https://x.org/js/",
            }
        },
    }
    assert "<h1>é</h1>" in built.text("index.html")


def test_the_page_s_own_base_counts(build: Build) -> None:
    page = '<base href="js/"><script type=importmap>{"imports":{"a/":"./lib/deep/"}}</script>'
    built = build({**MODULES, "index.html": page}, PLAIN)

    (_, (_, address)) = the_map(built.text("index.html"))["imports"].items()

    assert address.startswith("./lib/deep/t%20wo.")
    assert address != "./lib/deep/t%20wo.mjs"


def test_a_page_without_such_a_folder_stays_as_it_is(build: Build) -> None:
    page = '<script type="importmap">{ "imports": { "a": "https://x.org/a.js" } }</script>\r\n'
    assert build({**MODULES, "index.html": page}).data("index.html") == page.encode()
