"""Curated entries: numbers from papers and named sources, kept by maintainers, every act in the audit log."""
