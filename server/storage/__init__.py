"""Objects by key: archives, benchmarks, reports. One port, two adapters, one contract suite."""
