"""Measure shmzmq beside other ways of passing messages on one machine.

`python -m benchmarks --help` says what there is. Everything that is compared is measured in one
run, turn and turn about (A B A B ...), each time between fresh processes, so that a slow minute of
the machine falls on all alike. What is reported is the median over the rounds and the median of
the ratios within each round.
"""
