"""Claims of Rosen & Berg 2026, Small Networks: one function a figure."""

from pipeline.claims import Estimate


def tab1(case):
    narrow, wide = (Estimate.of(size.accuracy) for size in case.load("small", "training", "base").sizes())
    gain = wide.minus(narrow)
    return [
        case.bench("2 networks each, n = 4 and 16").judge(
            "the wide network is more accurate",
            "30 and 40 %",
            gain.said(1, 100, " points"),
            gain,
            above=0,
            control="none: an untrained network is at chance, whatever its width",
        )
    ]
