"""Rights on studies, API tokens and the audit log."""
