"""What dask-kubernetes 2026.3 offers to programs, with processes of this machine for pods."""
