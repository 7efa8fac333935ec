"""The commands by what people are about, each with the module that it is in and what it does.

The summary is what `castoff --help` has room for on 80 columns; the command's own help says more.
"""

from __future__ import annotations

SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Set up": {
        "init": ("init", "Write a commented castoff.toml that fits the project."),
        "lock": ("lock", "Lock dependencies; with --reason, freeze an environment."),
        "secrets": ("secrets", "List secrets, where each is found, and what uses it."),
        "provision": ("provision", "Make bare Debian hosts ready for the app."),
        "preflight": ("preflight", "Say what would stop a release on any host, and the mend."),
        "policy": ("policy", "Print the AWS IAM policy that a role needs."),
    },
    "Build and store": {
        "build": ("build", "Build one commit, with its locked dependencies."),
        "push": ("push", "Upload a version to the store."),
        "versions": ("versions", "List the versions in the store, and where each is live."),
        "inspect": ("inspect", "Show what is in a version."),
        "diff": ("diff", "Show what changes from one version to another."),
        "verify": ("verify", "Check every file of a version, or of what hosts serve."),
        "sign": ("sign", "Sign a version with an SSH key."),
        "keys": ("keys", "Say whose signatures count, and who signed what."),
        "mirror": ("mirror", "Copy versions between stores."),
        "gc": ("gc", "Remove versions that nobody can want any more."),
        "cache": ("cache", "Show, bound or clear what builds keep for the next ones."),
    },
    "Release": {
        "plan": ("plan", "Show what a release would do; nothing is changed."),
        "release": ("release", "Put a version live on all hosts at once."),
        "prepare": ("release", "Bring a version to all hosts; nothing goes live."),
        "activate": ("release", "Put live what `prepare` has brought to all hosts."),
        "rollback": ("release", "Go back to the previous good release, or to any version."),
    },
    "See what is going on": {
        "status": ("status", "Show what each host serves, and whether that is right."),
        "history": ("history", "Show who released what, when, and how it ended."),
        "logs": ("logs", "Show or follow log files of all hosts."),
        "run": ("run", "Run a command on hosts at once."),
        "ssh": ("ssh", "Log in to a host as a release does."),
        "report": ("report", "Write one release as an HTML page."),
        "notes": ("notes", "Write release notes from the commits between versions."),
        "notify": ("notify", "Send the notifications of a run again."),
    },
    "When something is wrong": {
        "resume": ("resume", "End a run whose controller died, from any machine."),
        "abort": ("resume", "Give such a run up: hosts go back to what they served."),
        "converge": ("converge", "Bring hosts that were away to the version of all others."),
        "maintenance": ("maintenance", "Serve a page instead of the app, on all hosts at once."),
        "unlock": ("lock", "Set a frozen environment free."),
        "prune": ("prune", "Remove old releases from hosts, also where a disk is full."),
        "pin": ("prune", "Keep a version on hosts, whatever comes after it."),
        "unpin": ("prune", "Let a pinned version go like any other."),
    },
    "Back up": {
        "backup": ("backup", "Make back-ups now."),
        "backups": ("backup", "List back-ups."),
        "restore": ("backup", "Check a back-up, and let it take the data's place."),
    },
}
SUMMARIES = {
    name: summary for section in SECTIONS.values() for name, (_, summary) in section.items()
}
MODULES = {name: module for section in SECTIONS.values() for name, (module, _) in section.items()}
