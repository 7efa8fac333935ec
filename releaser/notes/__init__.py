"""Release notes: from the commits between two versions to what people read."""
