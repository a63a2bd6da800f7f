"""Predicting whole datasets, partition by partition, on this machine or a cluster."""
