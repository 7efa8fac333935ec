"""From a commit to hosts that serve it: the application, the index, and how each tool does it."""
