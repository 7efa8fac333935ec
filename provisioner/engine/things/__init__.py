"""Each kind of thing on a host: what there is, and the commands that make it as it should be."""
