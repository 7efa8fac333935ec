"""The configurations of `examples/`: they are right, and the shop's has everything once."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from castoff.config.load import load
from castoff.config.step_tables import BUILT_INS
from castoff.config.table import Moment

EXAMPLES = Path(__file__).parents[2] / "examples"
# For two instances on a host, and for fleets that go on without some of theirs.
ELSEWHERE = {"start_idle", "check_idle", "quarantine"}


@pytest.mark.parametrize("app", ["hello", "shop"])
def test_an_example_can_be_read(app: str) -> None:
    config = load(EXAMPLES / app / "castoff.toml").config
    assert set(config.apps) == {app}
    assert {"staging", "production"} <= set(config.environments)
    assert all(environment.hosts for environment in config.environments.values())


def test_the_shop_has_every_kind_of_step_in_staging_and_in_production() -> None:
    config = load(EXAMPLES / "shop" / "castoff.toml").config
    staging, production = config.environments["staging"], config.environments["production"]

    assert {step.moment for step in staging.steps} == {*get_args(Moment)} - ELSEWHERE
    kinds = {step.built_in for step in staging.steps}
    assert kinds == {*BUILT_INS, None}
    assert any(step.http for step in staging.steps)
    assert any(step.command for step in staging.steps)
    for environment in (staging, production):
        assert environment.config
        assert environment.secret_files
        assert environment.notify
        assert environment.tag is not None
        assert environment.provision is not None
    assert [step.name for step in production.steps] == [step.name for step in staging.steps]
    assert {secret.ssm is None for secret in staging.secrets.values()} == {True}
    assert set(production.secrets) == set(staging.secrets)
    assert len(production.hosts) > 1


def test_each_version_of_the_shop_is_a_change_of_the_one_before(tmp_path: Path) -> None:
    made = tmp_path / "shop"
    shutil.copytree(EXAMPLES / "shop", made)
    for words in (("init", "--quiet"), ("add", "."), ("apply", "--index", "version-2.patch")):
        subprocess.run(["git", *words], cwd=made, check=True)
    forms = (made / "shop" / "forms.py").read_text()
    assert '"stock"' in forms
    assert "availability" not in forms
    subprocess.run(["git", "apply", "--index", "version-3.patch"], cwd=made, check=True)
    assert (made / "shop" / "migrations" / "0004_drop_availability.py").is_file()
