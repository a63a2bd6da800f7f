"""nbautoml beside other AutoML systems: same rows, same seconds, same two cores, one at a time.

``python -m benchmarks.automl --help`` lists the commands; ``docs/benchmarks.md`` says how a
comparison is made and how its table reads.
"""
