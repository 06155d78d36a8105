"""Plan files to cells, without torch and without a database."""
