"""What a notebook shows of a run: the output of RunDetails and its static forms."""
