"""Networks that stylise in one pass, and their training."""
