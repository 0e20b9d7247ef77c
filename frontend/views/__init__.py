"""One module for each page: fetch over REST, hand values to a template."""
