"""Annotated tags: made on a commit, pushed to a remote, and both again without harm."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

from castoff.builder.errors import SourceError
from castoff.builder.git import Git

# What a caller sets for git to know who acts, and how to get to a remote.
_IDENTITY = ("GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
_TRANSPORT = ("GIT_SSH", "GIT_ASKPASS", "GIT_CONFIG_", "GIT_SSL_", "GIT_PROXY_")


def make_tag(
    git: Git, name: str, commit: str, message: str, *, tagger: str = "", who: str = ""
) -> None:
    """Put an annotated, unsigned tag on a commit; one that is there already is left as it is.

    Args:
        git: The repository.
        name: The tag's.
        commit: The commit's full identifier.
        message: Its text; lines that begin with `#` are part of it.
        tagger: Who tags, `NAME <ADDRESS>`; empty for whom git is configured for.
        who: Who tags where nobody is configured, `user@host`.

    Raises:
        SourceError: The repository lacks the commit, the name is none, or is another commit's.
    """
    if _tagged(git, name, commit):
        return
    by_hand = f"git tag -a -m {name} {name} {commit}"
    try:
        git.run("check-ref-format", f"refs/tags/{name}")
    except SourceError as error:
        raise SourceError(
            f"{name!r} cannot be the name of a tag", hint="Mend `name` of the environment's `tag`."
        ) from error
    try:
        git.run("cat-file", "-e", f"{commit}^{{commit}}", extra={"GIT_NO_LAZY_FETCH": "1"})
    except SourceError as error:
        raise SourceError(
            f"{git.folder}: the tag {name} was not made: the repository does not have the commit "
            f"{commit[:10]}",
            hint=f"git fetch --unshallow || git fetch; {by_hand}",
        ) from error
    try:
        git.run(
            *("tag", "--annotate", "--no-sign", "--cleanup=whitespace", "--file=-", name, commit),
            given=message.encode(),
            extra=_identity(git, tagger, who),
        )
    except SourceError as error:
        # Another may have been quicker.
        if not _tagged(git, name, commit):
            raise SourceError(
                f"the tag {name} was not made: {error.message}", hint=by_hand
            ) from error


def push_tag(git: Git, name: str, commit: str, *, remote: str, limit: float) -> None:
    """Push a tag; that the remote has one of that name on the same commit is fine.

    Args:
        git: The repository.
        name: The tag's.
        commit: The commit that it is on.
        remote: The remote's name or URL.
        limit: Seconds that it may take.

    Raises:
        SourceError: The remote cannot be reached in time, refuses, or has it on another commit.
    """
    ref = f"refs/tags/{name}"
    extra = _kept(git, _TRANSPORT)
    if not {"GIT_SSH", "GIT_SSH_COMMAND"} & extra.keys():
        # Nobody would answer a question.
        extra["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes"
    try:
        git.run("push", "--quiet", "--no-verify", remote, ref, extra=extra, limit=limit)
    except SourceError as error:
        # One that did not answer in time is not asked once more.
        silent = isinstance(error.__cause__, subprocess.TimeoutExpired)
        found = None if silent else _on_remote(git, ref, remote, extra, limit)
        if found == commit:
            return
        why = error.message if found is None else f"it is on {found[:10]} there"
        raise SourceError(
            f"the tag {name} was not pushed to {remote}: {why}", hint=f"git push {remote} {ref}"
        ) from error


def _tagged(git: Git, name: str, commit: str) -> bool:
    """Return whether a tag is on a commit; raise SourceError if it is on another."""
    try:
        found = git.text("rev-parse", "--verify", "--quiet", f"refs/tags/{name}^{{commit}}")
    except SourceError:
        return False
    if found != commit:
        raise SourceError(
            f"the tag {name} is on {found[:10]} already, not on {commit[:10]}, and was left there",
            hint=f"If that is wrong: git tag -f -a -m {name} {name} {commit}",
        )
    return True


def _on_remote(
    git: Git, ref: str, remote: str, extra: Mapping[str, str], limit: float
) -> str | None:
    """Return the commit of a tag on a remote, or None if it has none or cannot be asked."""
    try:
        listed = git.run("ls-remote", remote, ref, f"{ref}^{{}}", extra=extra, limit=limit)
    except SourceError:
        return None
    rows = dict(line.split("\t")[::-1] for line in listed.decode(errors="replace").splitlines())
    return rows.get(f"{ref}^{{}}", rows.get(ref))


def _identity(git: Git, tagger: str, who: str) -> dict[str, str]:
    """Return the variables that say who tags."""
    if tagger:
        name, _, address = tagger.rpartition(" <")
        return {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": address.removesuffix(">")}
    given = _kept(git, _IDENTITY)
    try:
        git.run("var", "GIT_COMMITTER_IDENT", extra=given)
    except SourceError:
        return {
            "GIT_COMMITTER_NAME": who.partition("@")[0] or "castoff",
            "GIT_COMMITTER_EMAIL": who or f"castoff@{os.uname().nodename}",
            **given,
        }
    return given


def _kept(git: Git, beginnings: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in git.environment.items() if name.startswith(beginnings)}
