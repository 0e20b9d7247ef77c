"""The website and the command line: everything a person touches. Speaks REST only."""
