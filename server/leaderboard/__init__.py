"""Boards: ranks as a query over what is published and curated."""
