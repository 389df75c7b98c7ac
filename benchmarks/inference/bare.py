# SPDX-License-Identifier: Apache-2.0
"""The model alone in Python, as the servers of others call it: what their own figure is less.

    bare.py FILE SHAPE SECONDS
"""
import json
import sys
import time

import numpy as np

import session

file, shape, seconds = sys.argv[1], [int(n) for n in sys.argv[2].split(",")], float(sys.argv[3])
model = session.make(file)
feed = {model.get_inputs()[0].name: np.full(shape, 0.5, np.float32)}
us, used = [], time.process_time()
begun = time.perf_counter()
while (start := time.perf_counter()) < begun + seconds:
    model.run(None, feed)
    if start >= begun + seconds / 5:
        us.append((time.perf_counter() - start) * 1e6)
used = time.process_time() - used
us.sort()
print(json.dumps({"failed": 0, "p50_us": us[len(us) // 2], "p99_us": us[len(us) * 99 // 100],
                  "per_second": len(us) / (seconds * 0.8),
                  "cpu_us": used * 1e6 / (len(us) / 0.8)}))
