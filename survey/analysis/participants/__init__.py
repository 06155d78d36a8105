"""Statistics of participants: screening, agreement, recovery."""
