"""Who may do what; API tokens; the audit log."""
