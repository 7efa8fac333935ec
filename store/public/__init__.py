"""Files that browsers load: where they lie, how they get there, and what the public sees."""
