"""The GSI-Bench protocol: from a submission's pixels to a report. Usable alone; imports nothing else of this house."""
