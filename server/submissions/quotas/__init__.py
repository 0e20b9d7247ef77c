"""How much a team may submit to a benchmark: limits, what is used, what maintainers grant."""
