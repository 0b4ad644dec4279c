# SPDX-License-Identifier: Apache-2.0
"""The table of sequences."""
import os

ROWS = []


def row(ids, doc, differs=None, needs=None, slow=False):
    """differs: level of transaction.version of the judge -> why the answers must differ there.
    needs: a property that KAFKA_TEST_CONFIG must set; without it the row is not run. slow: only with KAOS_TEST_SLOW."""
    def add(fn):
        fn.needs, fn.slow = needs, slow
        ROWS.append((ids, doc, fn, differs or {}))
        return fn
    return add


def drawn(variable, default):
    """What an environment variable says, "FROM TO STEPS": the seeds of walks, and how long they are."""
    first, end, steps = (int(x) for x in os.environ.get(variable, default).split())
    return range(first, end), steps


def walks(ids, doc, name, seeds, walk, **how):
    """A row for each seed: walk(s, seed). How: as for row()."""
    for seed in seeds:
        def fn(s, seed=seed):
            walk(s, seed)
        fn.__name__ = "%s_%d" % (name, seed)
        row("%s%d" % (ids, seed), doc, **how)(fn)
