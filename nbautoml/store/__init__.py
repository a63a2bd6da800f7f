"""The workspace store: records in SQLite or PostgreSQL, files by content, events in order."""
