"""Random sequences of releases, rollbacks, faults and crashes, held against a small model.

The fleet is in memory but speaks the agent's protocol with the agent's own code; what must hold
after every step stands in `support.release_model`. A failure prints the steps that led to it. Some
of the sequences are tried on real hosts too: `tests/end_to_end/test_model_on_hosts.py`.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from support.release_model import Releases


def explore(examples: int, steps: int) -> None:
    """Try so many random sequences of so many steps."""
    run_state_machine_as_test(
        Releases,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


def test_a_sample_of_random_histories_keeps_every_promise() -> None:
    explore(examples=12, steps=10)


@pytest.mark.sweep
@pytest.mark.timeout(3600)
def test_many_random_histories_keep_every_promise() -> None:
    explore(examples=300, steps=25)
