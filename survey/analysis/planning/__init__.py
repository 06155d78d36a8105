"""How many participants, and when to stop."""
