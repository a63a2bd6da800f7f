"""Pure machine learning: no workspace, store or Dask; it reaches the outside through ports."""
