"""Images in and out, and the media store."""
