"""Notices: webhooks and e-mail at the endings of a team's submissions."""
