"""The tasks' and the queues' names: what the sender and the worker agree on."""

VALIDATE = "gsi.validate"
SCORE = "gsi.score"
SWEEP = "gsi.sweep"
NOTIFY = "gsi.notify"

SHORT_QUEUE = "gsi-short"
SCORE_QUEUE = "gsi-score"
NOTICES_QUEUE = "gsi-notices"
"""The only one whose workers must reach the outside: webhooks and mail servers."""
CLEAN = "gsi.clean"
