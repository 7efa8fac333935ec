"""Django's migrations, read from trees."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from castoff.builder.errors import BuildError
from castoff.builder.migrations.find import find_migrations
from castoff.builder.migrations.graph import heads, in_order
from castoff.builder.tree import walk
from castoff.store.migrations import AppMigrations, all_of
from support.migrating import DJANGO, django_migration, write

SETTINGS = 'INSTALLED_APPS = ["shop"]\n'
MANAGE = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "site1.settings")\n'
BASE = {
    **DJANGO,
    "app/manage.py": MANAGE,
    "app/site1/__init__.py": "",
    "app/site1/settings.py": SETTINGS,
    "app/shop/__init__.py": "",
    "app/shop/migrations/__init__.py": "",
    "app/shop/migrations/0001_initial.py": django_migration(
        'migrations.CreateModel("Item", [("id", models.AutoField(primary_key=True)), '
        '("name", models.CharField(max_length=20, null=True))])'
    ),
}
SECOND = "app/shop/migrations/0002_second.py"
AFTER_FIRST = (("shop", "0001_initial"),)


def found(tmp_path: Path, files: dict[str, str]) -> dict[str, AppMigrations]:
    return {one.app: one for one in find_migrations(walk(write(tmp_path, {**BASE, **files})))}


def second(tmp_path: Path, operations: str, **how: str) -> str:
    """Return why code that knows the first migration may not live with a second one."""
    text = django_migration(operations, AFTER_FIRST, **how)  # type: ignore[arg-type]
    apps = found(tmp_path, {SECOND: text})
    return all_of(apps.values())["shop.0002_second"].why(frozenset({"shop.0001_initial"}))


@pytest.mark.parametrize(
    "operations",
    [
        'migrations.AddField("item", "price", models.IntegerField(null=True))',
        'migrations.AddField("item", "price", models.IntegerField(db_default=0))',
        'migrations.AddField("item", "tags", models.ManyToManyField("shop.Tag"))',
        'migrations.CreateModel("Tag", [("id", models.AutoField(primary_key=True))])',
        'migrations.CreateModel("Tag", []), migrations.AddField("tag", "n", models.IntegerField())',
        'migrations.AlterField("item", "name", models.CharField(max_length=40, null=True))',
        'migrations.AlterField("item", "name", models.TextField(null=True, help_text="x"))',
        'migrations.AddIndex("item", models.Index(fields=["name"], name="n"))',
        'migrations.RunSQL("CREATE INDEX CONCURRENTLY n ON shop_item (name)")',
        "migrations.RunPython(migrations.RunPython.noop)",
        (
            "migrations.SeparateDatabaseAndState(state_operations="
            '[migrations.RemoveField("item", "name")])'
        ),
    ],
)
def test_what_only_adds_is_compatible(tmp_path: Path, operations: str) -> None:
    assert second(tmp_path, operations) == ""


@pytest.mark.parametrize(
    ("operations", "says"),
    [
        ('migrations.RemoveField("item", "name")', "RemoveField item.name"),
        ('migrations.DeleteModel(name="Item")', "DeleteModel Item"),
        ('migrations.RenameModel("Item", "Thing")', "RenameModel Item to Thing"),
        ('migrations.RenameField("item", "name", "title")', "RenameField item.name to title"),
        (
            'migrations.AddField("item", "price", models.IntegerField(default=0))',
            "AddField item.price without null or db_default",
        ),
        (
            'migrations.AlterField("item", "name", models.CharField(max_length=20))',
            "AlterField item.name: null is refused",
        ),
        (
            'migrations.AlterField("item", "name", models.CharField(max_length=9, null=True))',
            "AlterField item.name: shorter",
        ),
        (
            'migrations.AlterField("item", "name", models.IntegerField(null=True))',
            "AlterField item.name: from CharField to IntegerField",
        ),
        ('migrations.RunSQL("ALTER TABLE shop_item DROP COLUMN name")', "SQL ALTER TABLE"),
        ("migrations.RunPython(fill)", "RunPython fill: cannot be told"),
        ("Special()", "Special: cannot be told"),
        (
            (
                "migrations.SeparateDatabaseAndState(database_operations="
                '[migrations.RemoveField("item", "name")])'
            ),
            "RemoveField item.name",
        ),
    ],
)
def test_what_takes_away_or_cannot_be_told_is_named(
    tmp_path: Path, operations: str, says: str
) -> None:
    assert says in second(tmp_path, operations)


def test_code_that_never_knew_a_table_does_not_miss_it(tmp_path: Path) -> None:
    apps = found(
        tmp_path,
        {
            SECOND: django_migration('migrations.CreateModel("Tag", [])', AFTER_FIRST),
            "app/shop/migrations/0003_third.py": django_migration(
                'migrations.DeleteModel("Tag")', (("shop", "0002_second"),)
            ),
        },
    )
    third = all_of(apps.values())["shop.0003_third"]

    assert third.why(frozenset({"shop.0001_initial"})) == ""
    assert third.why(frozenset({"shop.0001_initial", "shop.0002_second"})) == "DeleteModel Tag"


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        ("castoff_compatible = True", ""),
        ("castoff_compatible = False", "its author says so"),
        ('castoff_compatible = "0001_initial"', ""),
        ('castoff_compatible = "other.0009_x"', "its author says so"),
    ],
)
def test_the_authors_word_counts(tmp_path: Path, mark: str, why: str) -> None:
    operation = "" if "False" in mark or "other" in mark else 'migrations.DeleteModel("Item")'

    assert second(tmp_path, operation, more=mark) == why


def test_a_mark_that_is_none_fails_the_build(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"0002_second\.py: castoff_compatible is neither"):
        second(tmp_path, "", more="castoff_compatible = 3")


@pytest.mark.parametrize(
    ("operations", "why"),
    [
        ("migrations.RunPython(fill)", "RunPython fill has no reverse_code"),
        ("migrations.RunPython(fill, migrations.RunPython.noop)", ""),
        ('migrations.RunSQL("UPDATE x SET y = 1")', "RunSQL has no reverse_sql"),
        ('migrations.RunSQL("UPDATE x SET y = 1", reverse_sql="")', ""),
        ('migrations.RemoveField("item", "name")', ""),
    ],
)
def test_what_cannot_be_taken_back_says_why(tmp_path: Path, operations: str, why: str) -> None:
    apps = found(tmp_path, {SECOND: django_migration(operations, AFTER_FIRST)})

    assert all_of(apps.values())["shop.0002_second"].note.irreversible == why


def test_squashed_migrations_leave_one_head(tmp_path: Path) -> None:
    apps = found(
        tmp_path,
        {
            SECOND: django_migration("", AFTER_FIRST),
            "app/shop/migrations/0001_squashed.py": django_migration(
                "", replaces=(("shop", "0001_initial"), ("shop", "0002_second"))
            ),
        },
    )

    assert apps["shop"].heads == ("0001_squashed",)
    assert apps["shop"].notes[0].replaces == ("shop.0001_initial", "shop.0002_second")


def test_what_builds_on_squashed_migrations_is_the_one_head(tmp_path: Path) -> None:
    """Squashing up to the second leaves a third one that still names the second."""
    squash = "0001_squashed"
    files = {
        SECOND: django_migration("", AFTER_FIRST),
        f"app/shop/migrations/{squash}.py": django_migration(
            "", replaces=(("shop", "0001_initial"), ("shop", "0002_second"))
        ),
        "app/shop/migrations/0003_third.py": django_migration("", (("shop", "0002_second"),)),
    }
    assert found(tmp_path, files)["shop"].heads == ("0003_third",)

    # A squash of a squash, and one whose own dependency is written as a sum.
    files["app/shop/migrations/0001_again.py"] = django_migration(
        "", replaces=(("shop", squash), ("shop", "0003_third"))
    )
    files["app/shop/migrations/0004_fourth.py"] = django_migration("", (("shop", "0003_third"),))
    files["app/shop/migrations/0005_fifth.py"] = django_migration(
        more="dependencies = [] + [('shop', '0004_fourth')]"
    )
    assert found(tmp_path, files)["shop"].heads == ("0005_fifth",)


def test_a_migration_with_a_base_of_the_projects_own_counts(tmp_path: Path) -> None:
    text = "class Migration(Audited):\n    dependencies = [('shop', '0001_initial')]\n"
    apps = found(tmp_path, {SECOND: text})
    assert apps["shop"].heads == ("0002_second",)
    why = all_of(apps.values())["shop.0002_second"].why(frozenset({"shop.0001_initial"}))
    assert why == "operations that are not written out: cannot be told"


def test_apps_lie_wherever_the_project_puts_them_on_its_path(tmp_path: Path) -> None:
    apps = found(
        tmp_path,
        {
            "app/site1/settings.py": "INSTALLED_APPS = "
            '["shop", "blog", "wiki.apps.WikiConfig", "news"]\n',
            **migrations_of("blog", "app/backend/apps"),
            **migrations_of("wiki", "app/backend/apps"),
            "app/backend/apps/wiki/apps.py": "from django.apps import AppConfig\n\n\n"
            'class WikiConfig(AppConfig):\n    name = "wiki"\n    label = "pages"\n',
            # Two of that name: whichever it is cannot be told.
            **migrations_of("news", "app/one"),
            **migrations_of("news", "app/two"),
        },
    )
    assert set(apps) == {"shop", "blog", "pages"}


def test_a_folder_that_is_no_package_has_no_migrations_to_django(tmp_path: Path) -> None:
    files = {k: v for k, v in BASE.items() if k != "app/shop/migrations/__init__.py"}
    assert find_migrations(walk(write(tmp_path, files))) == ()


def test_a_file_that_cannot_be_read_is_listed_and_judged_unknown(tmp_path: Path) -> None:
    apps = found(tmp_path, {SECOND: "class Migration(:\n"})

    assert "0002_second" in apps["shop"].names
    why = all_of(apps.values())["shop.0002_second"].why(frozenset())
    assert why == "a file that cannot be read: cannot be told"


def migrations_of(label: str, root: str = "lib") -> dict[str, str]:
    return {
        f"{root}/{label}/__init__.py": "",
        f"{root}/{label}/migrations/__init__.py": "",
        f"{root}/{label}/migrations/0001_initial.py": django_migration(),
    }


def test_dependencies_count_when_settings_install_them(tmp_path: Path) -> None:
    apps = found(tmp_path, {**migrations_of("taggit"), **migrations_of("unused")})
    assert set(apps) == {"shop"}

    base = 'INSTALLED_APPS = ["shop", "taggit.apps.TaggitConfig"]\n'
    local = "from .base import *\nif DEBUG:\n    INSTALLED_APPS += ['more']\n"
    configured = "from django.apps import AppConfig\n\n\nclass TaggitConfig(AppConfig):\n"
    apps = found(
        tmp_path,
        {
            "app/site1/base.py": base,
            "app/site1/settings.py": local,
            "lib/taggit/apps.py": f'{configured}    name = "taggit"\n    label = "tags"\n',
            **migrations_of("more"),
        },
    )
    assert set(apps) == {"shop", "tags", "more"}


@pytest.mark.parametrize("manage", ["app/manage.py", "project/manage.py"])
def test_a_project_with_a_wheel_of_its_own_has_its_migrations_in_it(
    tmp_path: Path, manage: str
) -> None:
    files = {name.replace("app/", "project/"): text for name, text in BASE.items()}
    files[manage] = files.pop("project/manage.py")
    (one,) = find_migrations(walk(write(tmp_path, files)))
    assert one.app == "shop"


@pytest.mark.parametrize(("starts", "first"), [("manage.py", "app"), ("site1/wsgi.py", "project")])
def test_of_two_copies_the_one_counts_that_is_first_on_the_path(
    tmp_path: Path, starts: str, first: str
) -> None:
    # A script's own folder comes before all that a launcher puts on the path.
    files = {name: text for name, text in BASE.items() if name != "app/manage.py"}
    files |= {f"app/{starts}": MANAGE, **migrations_of("shop", "project")}
    files[f"{first}/shop/migrations/0002_more.py"] = django_migration("", AFTER_FIRST)
    (one,) = find_migrations(walk(write(tmp_path, files)))
    assert one.names == ("0001_initial", "0002_more")


def test_all_apps_count_where_settings_are_computed(tmp_path: Path) -> None:
    apps = found(
        tmp_path,
        {"app/site1/settings.py": "INSTALLED_APPS = env('APPS')\n", **migrations_of("taggit")},
    )

    assert set(apps) == {"shop", "taggit"}


def test_migration_modules_are_followed(tmp_path: Path) -> None:
    said = SETTINGS + 'MIGRATION_MODULES = {"shop": "site1.shop_migrations"}\n'
    apps = found(
        tmp_path,
        {
            "app/site1/settings.py": said,
            "app/site1/shop_migrations/__init__.py": "",
            "app/site1/shop_migrations/0001_other.py": django_migration(),
        },
    )

    assert apps["shop"].names == ("0001_other",)


def test_a_tree_without_django_has_none(tmp_path: Path) -> None:
    files = {name: text for name, text in BASE.items() if not name.startswith("lib/")}

    assert find_migrations(walk(write(tmp_path, files))) == ()


graphs = st.integers(1, 12).flatmap(
    lambda size: st.tuples(
        *(
            st.frozensets(st.integers(0, max(n - 1, 0)), max_size=3)
            if n
            else st.just(frozenset[int]())
            for n in range(size)
        )
    )
)


@given(graphs)
@settings(max_examples=200)
def test_heads_and_order_of_any_graph(graph: tuple[frozenset[int], ...]) -> None:
    parents = {f"m{n:02}": [f"m{p:02}" for p in sorted(above)] for n, above in enumerate(graph)}

    ordered = in_order(parents)
    assert sorted(ordered) == sorted(parents)
    for name, above in parents.items():
        assert all(ordered.index(each) < ordered.index(name) for each in above)
    ends = heads(parents)
    assert ends
    for name in parents:
        # Whatever is no head leads to one, and no head is built on.
        assert (name in ends) == all(name not in above for above in parents.values())
