"""Pages of a study: set-up, live, sharing, log."""
