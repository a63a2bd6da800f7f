"""Model families: one contract, one file a family, one catalog."""
