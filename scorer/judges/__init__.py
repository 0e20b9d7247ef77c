"""Judges: does an object still look like itself after the edit?"""
