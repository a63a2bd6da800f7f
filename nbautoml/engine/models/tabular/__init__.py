"""Model families for classification and regression on tables."""
