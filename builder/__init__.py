"""From a git commit to an artifact: source, dependencies, tree, archive, manifest."""
