"""The main job on real input: hash Python's standard library with a ventilator, workers and a sink.

    ventilator ── PUSH ──► PULL  worker 0  PUSH ──┐
               └─ PUSH ──► PULL  worker 1  PUSH ──┼──► PULL  sink
                            ...                   ┘

Each is a process of its own and every arrow is an `ipc://` connection. The sink is the process that
was started by `python -m demo`; it starts the others, compares every digest with one that it
computes itself, and prints what it found.
"""
