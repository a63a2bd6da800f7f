"""One file a revision, named by number; a published revision is never edited."""
