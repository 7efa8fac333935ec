"""The built-in steps, one module each; they travel to hosts where one of them runs.

A module has `perform(layout, channel, parameters)`, as operations have. Its parameters: `version`,
`name` (of the step), `timeout` (seconds), `env` (variables, secrets among them), `user` (or null),
and `options`, the step's own table.
"""
