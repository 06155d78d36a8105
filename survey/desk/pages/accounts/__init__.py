"""Signing in, joining, and the pages of accounts."""
