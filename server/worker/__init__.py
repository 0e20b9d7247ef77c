"""Celery: thin tasks around `server.scoring`. The only package that knows Celery."""
