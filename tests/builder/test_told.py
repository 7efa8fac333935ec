"""What the user is told of a build that is made, and what the manifest keeps of it."""

from __future__ import annotations

import json
from pathlib import Path

from support.site import Site


def test_the_user_is_told_what_is_not_in_the_build(site: Site) -> None:
    clean = site.castoff("build", "--version", "1")
    site.write({"page.txt": "another\n", "untracked.txt": ""})
    changed = site.castoff("build", "--version", "1")
    head = site.git("rev-parse", "HEAD").strip()
    site.commit("two files")
    older = site.castoff("build", "--version", "1", "--ref", head)
    site.write({"page.txt": "a third\n", "castoff.toml": "[apps.site]\n\n"})
    many = site.castoff("build", "--version", "2")

    assert "warning" not in clean.err
    assert (
        "1 tracked file differs from HEAD; what is on disk is not in the build: 'page.txt'\n"
        in (changed.err)
    )
    assert "warning" not in older.err
    assert "2 tracked files differ from HEAD" in many.err
    assert "(castoff.toml alone is read as it is on disk)" in many.err


def test_the_user_is_told_that_castoff_toml_is_not_the_commit_s(site: Site) -> None:
    head = site.git("rev-parse", "HEAD").strip()
    site.write({"page.txt": "another\n"})
    site.commit("another page")
    site.write({"castoff.toml": "[apps.site]\n[apps.site.build]\nexclude = ['no.txt']\n"})
    changed = site.castoff("build", "--version", "1", "--ref", head)
    site.git("rm", "--quiet", "--cached", "castoff.toml")
    site.git("commit", "--quiet", "--message", "none")
    none = site.castoff("build", "--version", "2")

    place = f"castoff.toml differs from that of {head} ({head[:10]}), and is read as it is on disk"
    assert f"warning: {place}\n" in changed.err
    assert "warning: castoff.toml is not in HEAD (" in none.err


def test_what_castoff_toml_said_of_the_build_is_in_the_manifest(site: Site) -> None:
    recipes = []
    for number, text in enumerate(
        (
            "[apps.site]\n",
            "# a note\n[apps.site]\nshared = ['media/']\n",
            "[apps.site]\n[apps.site.build]\nexclude = ['no.txt']\n",
        )
    ):
        site.write({"castoff.toml": text})
        built = site.castoff("build", "--version", str(number), "--json")
        assert built.code == 0, built.err
        document = json.loads(Path(built.json["manifest"]).read_bytes())
        provenance = json.loads(Path(built.json["provenance"]).read_bytes())["predicate"]
        recipes.append(document["built_with"]["recipe"])
        definition = provenance["buildDefinition"]
        assert definition["externalParameters"]["recipe"] == recipes[-1]
        assert "recipe" not in provenance["runDetails"]["builder"]["version"]
    assert recipes[0] == recipes[1]
    assert recipes[0] != recipes[2]


def test_the_user_is_told_of_a_version_that_a_tag_would_spell_otherwise(site: Site) -> None:
    site.git("tag", "v1.5")
    spelled = site.castoff("build", "--version", "v1.5")
    plain = site.castoff("build", "--version", "1.5")

    assert "the tag v1.5 would give 1.5, and that is another version" in spelled.err
    assert "warning" not in plain.err
