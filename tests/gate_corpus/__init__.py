"""Archives for the gate, hostile and valid, each with the codes that it must get.

``python -m tests.gate_corpus OUT`` writes them to a folder, for other readers of zips. The same seed gives the
same bytes.
"""
