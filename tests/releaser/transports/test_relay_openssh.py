"""The client's command line on a relay, as the client itself reads it."""

from __future__ import annotations

import os
import subprocess

import pytest

from castoff.releaser.agent.relay.openssh import VARIABLES, argv


@pytest.mark.parametrize("folder", ["/plain", "/a b%h", "/x/${HOME}/$HOME", "/${", '/q"q/\\b'])
def test_any_folder_of_a_relay_is_one_for_its_files(folder: str) -> None:
    words = argv(
        "web1",
        "true",
        user="deploy",
        port=22,
        alias="web1",
        known=f"{folder}/a.known",
        agent=f"{folder}/a.keys",
        seconds=5,
    )
    done = subprocess.run(
        [words[0], "-G", *words[1:]],
        env=os.environ | VARIABLES,
        check=True,
        capture_output=True,
        text=True,
    )
    said = dict(line.partition(" ")[::2] for line in done.stdout.splitlines())
    assert said["userknownhostsfile"] == f"{folder}/a.known"
    assert said["identityagent"] == f"{folder}/a.keys"
