"""Breaking things while runs go on: one fault a file, one player, one set of checks."""
