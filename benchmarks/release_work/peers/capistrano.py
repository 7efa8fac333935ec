"""Capistrano: its own deploy flow with the git strategy."""

from __future__ import annotations

from common.tools import debian_tool
from release_work.ground import Ground
from release_work.peers.peer import Command
from release_work.repository import APP, Repository

_CAPFILE = """require "capistrano/setup"
require "capistrano/deploy"
require "capistrano/scm/git"
install_plugin Capistrano::SCM::Git
"""
_DEPLOY = """set :application, "{app}"
set :repo_url, "{url}"
set :deploy_to, "{root}"
set :branch, ENV.fetch("BRANCH")
set :keep_releases, 2
set :ssh_options, {{
  keys: ["{key}"], keys_only: true, auth_methods: ["publickey"], config: false,
  user_known_hosts_file: ["{known_hosts}"], verify_host_key: :always
}}
namespace :deploy do
  task :restart do
    on roles(:app) do
      execute '{reload}'
    end
  end
  task :check_health do
    on roles(:app) do
      execute {health}
    end
  end
  after :publishing, :restart
  after :restart, :check_health
end
"""


class Capistrano:
    """Debian's package, without Bundler."""

    name = "Capistrano"

    def get(self) -> str:
        """Install it."""
        return debian_tool("cap", "capistrano")

    def set_up(self, ground: Ground[Repository]) -> None:
        """Write Capfile, deploy.rb and the stage."""
        config = ground.folder / "config"
        (config / "deploy").mkdir(parents=True)
        (ground.folder / "Capfile").write_text(_CAPFILE)
        first = ground.hosts[0]
        version = ground.health(first, "VERSION").replace("VERSION", "#{ENV['HEALTHY']}")
        text = _DEPLOY.format(
            app=APP,
            url=ground.git_url,
            root=ground.app(first),
            key=ground.fleet.key_path,
            known_hosts=ground.fleet.known_hosts,
            reload=ground.reload(first),
            health="%q(" + version.replace("#{ENV['HEALTHY']}", ")+ENV['HEALTHY']+%q(") + ")",
        )
        (config / "deploy.rb").write_text(text)
        servers = [
            f'server "{host.address}", user: "{host.user}", port: {host.port}, roles: %w{{app}}\n'
            for host in ground.hosts
        ]
        (config / "deploy" / "production.rb").write_text("".join(servers))

    def release(self, ground: Ground[Repository], version: str) -> Command:
        """Return `cap production deploy`."""
        variables = {"BRANCH": f"v{version}", "HEALTHY": version, "LANG": "C.UTF-8"}
        return Command(["cap", "production", "deploy"], ground.folder, variables)

    def rollback(self, ground: Ground[Repository], version: str) -> Command:
        """Return `cap production deploy:rollback`."""
        variables = {"BRANCH": f"v{version}", "HEALTHY": version, "LANG": "C.UTF-8"}
        return Command(["cap", "production", "deploy:rollback"], ground.folder, variables)
