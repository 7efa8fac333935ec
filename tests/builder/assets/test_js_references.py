"""Each construct of JavaScript that can name a file, and each that only looks so."""

from __future__ import annotations

import pytest

from castoff.builder.assets.errors import AssetError
from castoff.builder.assets.references import js
from castoff.builder.assets.tools.lexer import Lexer

REWRITTEN = {
    "import for its effects": ("import './x.js';", "import 'NEW';"),
    "import, minified": ('import"./x.js"', 'import"NEW"'),
    "default import": ('import x from "./x.js"', 'import x from "NEW"'),
    "named imports, minified": (
        'import{a as b}from"../x.js";import*as c from"/y.js";',
        'import{a as b}from"NEW";import*as c from"NEW";',
    ),
    "no semicolons": ('import a from"./x.js"\nimport b from"./y.js"\n', None),
    "import with attributes": (
        'import x from "./x.json" with {type: "json"};',
        'import x from "NEW" with {type: "json"};',
    ),
    "export all": ('export * from "./x.js";', 'export * from "NEW";'),
    "export all, minified": ('export*from"./x.js"', 'export*from"NEW"'),
    "export all under a name": ('export * as n from "./x.js";', 'export * as n from "NEW";'),
    "export some": ('export{a,b as c}from"./x.js"', 'export{a,b as c}from"NEW"'),
    "dynamic import": ('x = await import("./x.js");', 'x = await import("NEW");'),
    "dynamic import, in a template": ("`${import('./x.js')}`", "`${import('NEW')}`"),
    "dynamic import of a plain template": ("import(`./x.js`)", "import(`NEW`)"),
    "dynamic import after a comment": (
        'import(/* "./no.js" */ "./x.js")',
        'import(/* "./no.js" */ "NEW")',
    ),
    "new URL": (
        'new URL("./x.png", import.meta.url).href',
        'new URL("NEW", import.meta.url).href',
    ),
    "import.meta.resolve": (
        "import.meta.resolve( /* a */ `./x.js` ).length",
        "import.meta.resolve( /* a */ `NEW` ).length",
    ),
    "new URL, minified": ("new URL('x.png',import.meta.url)", "new URL('NEW',import.meta.url)"),
    "module worker": (
        'new Worker(new URL("./w.js", import.meta.url), {type: "module"})',
        'new Worker(new URL("NEW", import.meta.url), {type: "module"})',
    ),
    "worker of an absolute path": ('new Worker("/s/w.js")', 'new Worker("NEW")'),
    "shared worker": ("new SharedWorker('/s/w.js')", "new SharedWorker('NEW')"),
    "importScripts": ('importScripts("x.js", "y.js")', 'importScripts("NEW", "NEW")'),
    "importScripts of self": ("self.importScripts('x.js')", "self.importScripts('NEW')"),
    "source map": ("a()\n//# sourceMappingURL=x.js.map\n", "a()\n//# sourceMappingURL=NEW\n"),
    "after characters of two units": ('"😀";import("./x.js")', '"😀";import("NEW")'),
}

LEFT_ALONE = {
    "a line comment": "// import './x.js'\na()",
    "a block comment": "/* import('./x.js'); new Worker('/x.js') */",
    "a string": "const a = \"import './x.js'\"",
    "a template": "`import('./x.js') new Worker('/x.js')`",
    "a regular expression": "/import('.\\/x.js')/.test(a)",
    "a bare specifier": 'import $ from "jquery"; import("lodash")',
    "an expression": 'import("./" + x)',
    "a template with parts": "import(`./${x}.js`)",
    "a method": "a.import('./x.js'); b.importScripts('x.js')",
    "new URL with another base": 'new URL("./x.png", location.href)',
    "what import.meta.resolve looks up": 'import.meta.resolve("x"); import.meta.resolve("./" + x)',
    "the folder of the module": 'new URL(".", import.meta.url); new URL("./d/", import.meta.url)',
    "import.meta.env": "import.meta.env.MODE",
    "a worker relative to some page": 'new Worker("w.js")',
    "a plain script's path": 'fetch("/static/x.json")',
    "a source map that is not last": "//# sourceMappingURL=x.js.map\na()",
}


def rewritten(text: str, lexer: Lexer) -> str:
    for reference in reversed(js.scan(text, "a.js", lexer)):
        text = text[: reference.start] + reference.escape("NEW") + text[reference.end :]
    return text


@pytest.mark.parametrize("name", REWRITTEN)
def test_it_is_found_and_nothing_else_changes(name: str, lexer: Lexer) -> None:
    before, after = REWRITTEN[name]
    expected = after or before.replace("./x.js", "NEW").replace("./y.js", "NEW")
    assert rewritten(before, lexer) == expected


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_it_is_left_alone(name: str, lexer: Lexer) -> None:
    assert js.scan(LEFT_ALONE[name], "a.js", lexer) == []


def test_what_cannot_be_read_is_told_with_its_place(lexer: Lexer) -> None:
    with pytest.raises(AssetError) as caught:
        js.scan('import "./a.js";\nconst a = `${', "js/a.js", lexer)
    assert (caught.value.file, caught.value.line) == ("js/a.js", 2)
    assert caught.value.column is not None


def test_a_name_with_quotes_is_written_as_a_string_again(lexer: Lexer) -> None:
    (reference,) = js.scan("import './x.js'", "a.js", lexer)
    assert reference.escape("./it's \\.js") == r"'./it\'s \\.js'"
