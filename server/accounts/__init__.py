"""Signing in: at a provider, through the development login, and out again."""
