"""The report, and results in words."""
