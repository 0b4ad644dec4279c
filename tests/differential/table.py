# SPDX-License-Identifier: Apache-2.0
"""The table of sequences."""
ROWS = []


def row(ids, doc, differs=None, needs=None, slow=False):
    """differs: level of transaction.version of the judge -> why the answers must differ there.
    needs: a property that KAFKA_TEST_CONFIG must set; without it the row is not run. slow: only with KAOS_TEST_SLOW."""
    def add(fn):
        fn.needs, fn.slow = needs, slow
        ROWS.append((ids, doc, fn, differs or {}))
        return fn
    return add
