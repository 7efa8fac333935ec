"""Each tool of the comparison, used as its documentation says."""
