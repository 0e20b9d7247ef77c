"""The tasks' names: what the sender and the worker agree on."""

VALIDATE = "gsi.validate"
SCORE = "gsi.score"
SWEEP = "gsi.sweep"
NOTIFY = "gsi.notify"
CLEAN = "gsi.clean"
