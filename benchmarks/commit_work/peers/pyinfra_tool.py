"""pyinfra: `git.repo`, `pip.packages`, `files.link`, `server.shell`."""

from __future__ import annotations

from release_work.ground import Ground
from release_work.peers.peer import Command
from release_work.peers.pyinfra_tool import Pyinfra as PyinfraTool
from release_work.repository import Repository

from commit_work.steps import Steps

_DEPLOY = """from pyinfra.operations import files, git, pip, server

# Of a tag that is new it would try to pull.
git.repo(name="fetch", src={url!r}, dest={repo!r}, branch="main")
for folder in {folders!r}:
    files.directory(name=folder, path=folder)
server.shell(name="old releases", commands=[{prune!r}])
server.shell(name="new release", commands=[{copy!r}])
pip.packages(
    name="requirements",
    requirements={requirements!r},
    virtualenv={environment!r},
    virtualenv_kwargs={{"venv": True, "python": "python3"}},
    pip="pip",
)
server.shell(name="static files", commands=[{collect!r}])
server.shell(name="migrations", commands=[{migrate!r}], _run_once=True)
files.link(name="link", path={current!r}, target={release!r}, force=True, force_backup=False)
server.shell(name="reload", commands=[{reload!r}])
server.shell(name="health", commands=[{health!r}])
"""


class Pyinfra(PyinfraTool):
    """As many connections as hosts, which is its default."""

    def release(self, ground: Ground[Repository], version: str) -> Command:
        """Write and return the deploy."""
        steps = Steps(ground, version)
        repo = f"{steps.app}/repo"
        text = _DEPLOY.format(
            url=ground.git_url,
            repo=repo,
            folders=[f"{steps.app}/releases", f"{steps.app}/shared"],
            prune=steps.prune,
            copy=f"mkdir {steps.release} && cp -a {repo}/* {steps.release}/",
            environment=steps.environment,
            requirements=f"{steps.release}/requirements.txt",
            collect=steps.collect,
            migrate=steps.migrate,
            current=f"{steps.app}/current",
            release=steps.release,
            reload=steps.reload,
            health=steps.health,
        )
        return self.deploy(ground, text)
