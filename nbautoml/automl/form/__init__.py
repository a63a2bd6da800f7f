"""What a form needs of `AutoMLConfig`: its fields, a table to choose from, a draft to check."""
