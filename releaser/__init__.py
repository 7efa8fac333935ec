"""From an artifact in the store to every host: plan, prepare, barrier, activate, rollback."""
