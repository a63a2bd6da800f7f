"""What to try next, what it costs, and the loop that tries it."""
