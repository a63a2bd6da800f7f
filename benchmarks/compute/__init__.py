"""What runs pay for their workers: starting, handing over, ending, events, data, many at once."""
