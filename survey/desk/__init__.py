"""The signed-in pages of admins and researchers."""
