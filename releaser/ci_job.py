"""The page of the CI job that runs this, from the variables that CI systems document."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

# A variable whose value is the page itself, in the order in which they are looked at.
_PAGES = (
    "CI_JOB_URL",  # GitLab
    "CIRCLE_BUILD_URL",
    "BUILDKITE_BUILD_URL",
    "TRAVIS_JOB_WEB_URL",
    "DRONE_BUILD_LINK",
    "CI_PIPELINE_URL",  # Woodpecker
    "BUILD_URL",  # Jenkins, TeamCity
)
# Variables that make up the page.
_PARTS = (
    "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}",
    "{SYSTEM_TEAMFOUNDATIONCOLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}",
    "{BITBUCKET_GIT_HTTP_ORIGIN}/pipelines/results/{BITBUCKET_BUILD_NUMBER}",
)
_MOST = 500


def job_page(variables: Mapping[str, str]) -> str:
    """Return the URL of the CI job's page, or an empty text where no known CI system runs.

    Only the variables named above are read. A user or password in the URL is left out.

    Args:
        variables: Environment variables.
    """
    for pattern in _PARTS:
        try:
            return _clean(pattern.format_map(variables))
        except KeyError:
            continue
    return next((_clean(variables[name]) for name in _PAGES if variables.get(name)), "")


def _clean(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname or len(url) > _MOST:
        return ""
    if not url.isprintable() or " " in url:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return urlunsplit((parts.scheme, host + port, parts.path, parts.query, parts.fragment))
