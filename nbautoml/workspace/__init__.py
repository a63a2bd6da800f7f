"""The workspace: the object on top, through which a notebook reaches everything else."""
