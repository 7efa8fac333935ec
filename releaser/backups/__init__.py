"""Back-ups: made now or by a step, found again, and restored."""
