"""From the database to the tidy table."""
