"""A participant's way through a study."""
