"""Raw columns to features: `options`, `detect` (what columns are) and `build` (transformers)."""
