"""What `slides.py` runs: the slides' steps and scripts, the servers they release to, and us."""
