"""The tools, each with a deployment as its documentation has it."""
