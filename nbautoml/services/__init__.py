"""Plain functions over the store, for every front: typed in, typed out, errors of the domain."""
