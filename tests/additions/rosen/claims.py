"""Claims of Rosen & Berg 2026, Small Networks: one function a figure."""

import numpy as np


def tab1(case):
    narrow, wide = (np.mean(size.accuracy) for size in case.load("small", "training", "base").sizes())
    bench = case.bench("2 networks each, n = 4 and 16")
    ours = f"{100 * narrow:.1f} and {100 * wide:.1f} %"
    return [bench.judge("the wide network is more accurate", "30 and 40 %", ours, wide > narrow)]
