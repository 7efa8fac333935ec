"""Which page a CI job has, by the variables that the systems document."""

from __future__ import annotations

import pytest

from castoff.releaser.ci_job import job_page

GITHUB = {
    "GITHUB_SERVER_URL": "https://github.example",
    "GITHUB_REPOSITORY": "shop/shop",
    "GITHUB_RUN_ID": "42",
    "GITHUB_TOKEN": "secret",
}
AZURE = {
    "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI": "https://dev.example/shop/",
    "SYSTEM_TEAMPROJECT": "web",
    "BUILD_BUILDID": "9",
}


@pytest.mark.parametrize(
    ("variables", "page"),
    [
        ({}, ""),
        ({"CI": "true", "HOME": "/root"}, ""),
        (GITHUB, "https://github.example/shop/shop/actions/runs/42"),
        (
            {"CI_JOB_URL": "https://gitlab.example/a/b/-/jobs/7"},
            "https://gitlab.example/a/b/-/jobs/7",
        ),
        (
            {"BUILD_URL": "http://jenkins.example:8080/job/x/3/"},
            "http://jenkins.example:8080/job/x/3/",
        ),
        (AZURE, "https://dev.example/shop/web/_build/results?buildId=9"),
        ({"CIRCLE_BUILD_URL": "", "BUILD_URL": "https://ci.example/1"}, "https://ci.example/1"),
    ],
)
def test_the_page_is_found(variables: dict[str, str], page: str) -> None:
    assert job_page(variables) == page


def test_a_password_in_it_is_left_out() -> None:
    assert job_page({"CI_JOB_URL": "https://ana:secret@ci.example/7"}) == "https://ci.example/7"


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "ci.example/7",
        "https://ci.example/\x1b[31m",
        "https://[x/",
        "https:///7",
    ],
)
def test_what_is_no_page_is_none(url: str) -> None:
    assert job_page({"CI_JOB_URL": url}) == ""
