"""Random walks over a server of our own, and a judge of what they may do.

From one seed: a list and how it is ordered, paged, clamped, filtered and broken (`world`), and what is done to a walk
over it (`walker`). The judge's rule is the promise of `docs/walk.md`: what exists for the whole walk is yielded or
reported exactly once, nothing is yielded twice, and the walk ends, or fails for a reason that the server gave. Time is
virtual (`virtual_time`): a walk that can never go on is found at once.

    WALKS=100000 pytest tests/walk/random_walks           # so many; 500 without being asked
    cd tests/walk && python -m random_walks 4711          # one of them again, with all that happened
    cd tests/walk && python -m random_walks 0 100000      # many, and what failed, by kinds
"""
