"""How far a submission is: its place in the queue, what is done of it, and when it may be ready."""
