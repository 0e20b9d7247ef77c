"""The tests. A package by name, so that no other package of that name on the path stands before it."""
