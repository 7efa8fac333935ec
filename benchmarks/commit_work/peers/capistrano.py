"""Capistrano: its own flow with the git strategy, and tasks for pip, Django and the server."""

from __future__ import annotations

from release_work.ground import Ground
from release_work.peers.capistrano import Capistrano as CapistranoTool
from release_work.repository import Repository

from commit_work.steps import DATABASE

_TASKS = """
append :linked_dirs, "venv"
namespace :deploy do
  task :install do
    on roles(:app) do
      execute "[ -x #{{shared_path}}/venv/bin/python ] || python3 -m venv #{{shared_path}}/venv"
      within release_path do
        execute "venv/bin/pip", "install", "-q", "-r", "requirements.txt"
        execute "venv/bin/python", "manage.py", "collectstatic", "--noinput", "-v", "0"
      end
    end
  end
  task :migrate do
    on primary(:app) do
      within release_path do
        with database: "{database}" do
          execute "venv/bin/python", "manage.py", "migrate", "--noinput", "-v", "0"
        end
      end
    end
  end
  after :updated, :install
  after :install, :migrate
end
"""


class Capistrano(CapistranoTool):
    """Debian's package; the environment is one of its linked folders."""

    def set_up(self, ground: Ground[Repository]) -> None:
        """Add our tasks to those of a release without dependencies."""
        super().set_up(ground)
        deploy = ground.folder / "config" / "deploy.rb"
        deploy.write_text(deploy.read_text() + _TASKS.format(database=DATABASE))
