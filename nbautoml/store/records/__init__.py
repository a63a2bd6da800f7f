"""Reading and writing the rows of a workspace, one noun a file."""
