"""Recruiting by Prolific's API: `api` asks it, `draft` says what a study is there, `link`, `acts` and `pausing` keep what came of it."""
