"""Submissions: one archive of edited images by one team, and the states it goes through."""
