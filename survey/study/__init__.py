"""A study's definition, publishing, revisions and life cycle."""
