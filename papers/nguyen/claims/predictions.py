"""Per-example and per-class differences: figures 7 and F.1 to F.4 of Nguyen et al. 2021."""
import numpy as np

from stages.claims import Bench
from stages.claims.nguyen_nets import FEWEST, mean, percent, say
from stages.claims.nguyen_tables import SIGNIFICANT, better, few_networks, on_images, unchanged

# Thresholds, each with its reason.
ERRORS = 2              # bootstrap standard errors
CHANCE = 0.05           # share of classes below p = 0.05 if nothing differs
MANY = 2                # times chance and times the control: "much more"; the paper has eight times chance
GAP = 0.20              # accuracy: the example's gap persists
NEAR_MEAN = 0.004       # of the paper's mean accuracies
MIDDLE = (0.3, 0.95)    # accuracy of the smallest network: "often but not always correct"
BAND = 0.99             # of the differences between two halves of one architecture
PAIR = ("ResNet-62", "ResNet-14 (2x)")
DEPTHS = {14: 0.9169, 20: 0.9261, 26: 0.9309, 32: 0.9344, 38: 0.9367, 56: 0.9402, 110: 0.9433, 164: 0.9437}
WIDTHS = {1.0: 0.9309, 1.4: 0.9410, 1.7: 0.9453, 2.2: 0.9494, 2.4: 0.9505, 3.0: 0.9530, 4.0: 0.9553, 8.0: 0.9581}


def loaded(figure, load, name, scale, width):
    """A result of agreement and the bench of a figure."""
    result = load("nguyen_agreement", "agreement", name)
    groups = ", ".join(f"{int(result[f'{g}/networks'])} {label}" for g, label in enumerate(result["names"]))
    return result, Bench(figure, scale, width, f"{groups}; {len(result['labels'])} images", on_images(name, scale), few_networks(result))


def wider(case, result, control, statement, paper):
    """Two architectures are further from the diagonal than two halves of one, by more than 2 standard errors."""
    values, errors = result["dispersion"], result["dispersion_se"]
    cross, alone = values[0, 1], values[control, control]
    error = np.hypot(errors[0, 1], errors[control, control])
    return case.judge(statement, paper, f"{cross:.4f} ± {errors[0, 1]:.4f} and {alone:.4f} ± {errors[control, control]:.4f}",
                      cross - alone > ERRORS * error)


def fig7(load, scale, width):
    pair, case = loaded("nguyen_fig7", load, "pair", scale, width)
    images, other = loaded("nguyen_fig7", load, "imagenet", scale, width)
    share, control = (np.mean(images[name] < SIGNIFICANT) for name in ("class/p", "class/p_control"))
    ours = f"{percent(share)} of {len(images['class/p'])} classes, {percent(control)} in the control"
    explained = f"; {percent(images['models/v2'])} of the example-level variance"
    return [
        wider(case, pair, 0, "ResNet-62 and ResNet-14 (2x) differ on examples more than two halves of ResNet-62: dispersion larger by more "
              "than 2 bootstrap standard errors", "substantially larger; 100 against 100 networks"),
        other.judge("classes whose accuracy differs between wide and deep (p < 0.05, Welch) are more than twice the 5 % of chance",
                    "419 of 1000 classes; 11 % of the example-level variance", ours + explained, share > MANY * CHANCE),
        other.judge("classes whose accuracy differs between wide and deep (p < 0.05, Welch) are more than twice those of two halves of the "
                    "deep network", "419 of 1000 classes, far fewer in the control", ours, share > MANY * control),
        better(other, images, "structure", 1, "74.9 ± 0.05 and 74.6 ± 0.06 %, p = 6e-5 (with geological formations, 68 classes)"),
        better(other, images, "consumer goods", -1, "72.1 ± 0.06 and 72.4 ± 0.07 %, p = 0.001 (62 classes)"),
        unchanged(other, images, ["dog"], "dogs: no significant difference (p ≥ 0.05)", "81.6 and 81.6 %, p = 0.48 (118 classes)")]


def figF1(load, scale, width):
    result, case = loaded("nguyen_figF1", load, "pair", scale, width)
    gaps = np.asarray(result["shown/first"], float) - np.asarray(result["shown/second"], float)
    half, accuracy = len(gaps) // 2, [result[f"{g}/accuracy"] for g in (0, 1)]
    return [
        case.judge("mean accuracies do not differ significantly: p above 0.05", "94.09 ± 0.01 and 94.08 ± 0.01 %, t(199) = 0.73, p = 0.47",
                   f"{sem(accuracy[0])} and {sem(accuracy[1])}, {tested(result)}", float(result["p_mean"]) > SIGNIFICANT),
        *(wider(case, result, g, f"ResNet-62 and ResNet-14 (2x) differ on examples more than two halves of {name}: dispersion larger by "
                "more than 2 bootstrap standard errors", "substantially higher dispersion") for g, name in enumerate(PAIR)),
        *(case.judge(f"images with the largest gap in favour of {name}: on networks not used for selection it is above 20 points, mean "
                     "over the images", paper, percent(gap), mean(gap) > GAP)
          for name, gap, paper in zip(PAIR, (gaps[:half], -gaps[half:]), ("such as 87/22, 74/6, 64/8 %", "such as 20/90, 23/71 %")))]


def sem(accuracy) -> str:
    """Mean and its standard error over networks."""
    error = np.std(accuracy, ddof=1) / np.sqrt(len(accuracy)) if len(accuracy) > 1 else 0.0
    return f"{100 * np.mean(accuracy):.2f} ± {100 * error:.2f} %"


def tested(result) -> str:
    t, df, p = (float(result[f"{name}_mean"]) for name in "t df p".split())
    return f"t({df:.0f}) = {t:.2f}, p = {p:.2g}"


def grows(figure, load, name, scale, width, number_in, numbers) -> list:
    """Larger networks are better, most where the smallest is often but not always right, and worse on some examples.

    number_in: depth or width in a group's label, such as "ResNet-26 (1.4x)". numbers: the paper's mean accuracies by it.
    """
    result, case = loaded(figure, load, name, scale, width)
    own = [float(number_in(str(label))) for label in result["names"]]
    order = np.argsort(own)
    means = [float(np.mean(result[f"{g}/accuracy"])) for g in order]
    off = [value - numbers[own[g]] for g, value in zip(order, means) if own[g] in numbers]
    worst = max(map(abs, off), default=np.nan)
    listed = ", ".join(f"{own[g]:g}: {100 * value:.2f}" for g, value in zip(order, means))
    paper = ", ".join(f"{key:g}: {100 * value:.2f}" for key, value in numbers.items()) + " %"
    few = case.lacks or ("" if len(means) >= FEWEST else "the scale keeps fewer than three sizes")
    return [
        case.judge("mean accuracies lie within 0.4 points of the paper's", paper, f"{listed} %; furthest off by {100 * worst:.2f} points",
                   worst <= NEAR_MEAN, against_number=True, lacks="" if off else "none of the paper's sizes"),
        case.judge("mean accuracy rises with every step in size", paper, f"{listed} %", bool((np.diff(means) > 0).all()), lacks=few),
        *examples(case, result, order[0], order[-1])]


def examples(case, result, small, large) -> list:
    """Claims on single examples, from the smallest to the largest network kept."""
    one = "" if small != large else "one size: nothing to compare"
    first, second = ([np.asarray(result[f"{g}/{half}"], float) for g in (small, large)] for half in ("first", "second"))
    gain, start = second[1] - second[0], first[0]  # the bins come from other networks than the gains: no regression to the mean
    low, middle, high = start <= MIDDLE[0], (start > MIDDLE[0]) & (start < MIDDLE[1]), start >= MIDDLE[1]
    gains = [mean(gain[part]) for part in (low, middle, high)]
    edge = np.quantile(first[0] - second[0], (1 - BAND) / 2)
    worse = int(np.sum((first[1] - first[0] < edge) & (second[1] - second[0] < edge)))
    return [
        case.judge("examples that the smallest network gets right with a probability in (0.3, 0.95) gain most", "most pronounced there",
                   f"{say(gains[1], 1, 100)} points, below {say(gains[0], 1, 100)}, above {say(gains[2], 1, 100)}",
                   not any(gains[1] <= other for other in (gains[0], gains[2])) and np.isfinite(gains[1]), lacks=case.lacks or one),
        case.judge("on more than 0 examples the largest network is worse than the smallest beyond the control's 99 % band, in both halves",
                   "there are such examples", f"{worse} of {len(gain)} examples, {100 * edge:+.1f} points or worse", worse > 0,
                   lacks=case.lacks or one)]


def figF2(load, scale, width):
    return grows("nguyen_figF2", load, "by_depth", scale, width, lambda label: label.split("-")[1].split()[0], DEPTHS)


def figF3(load, scale, width):
    return grows("nguyen_figF3", load, "by_width", scale, width, lambda label: label.split("(")[1].rstrip("x×)") if "(" in label else 1, WIDTHS)


def figF4(load, scale, width):
    result, case = loaded("nguyen_figF4", load, "imagenet", scale, width)
    values, groups = result["dispersion"], range(len(result["names"]))
    crossed = [(a, b) for a in groups for b in groups if a < b]
    ours = "; ".join(f"{result['names'][a]} and {result['names'][b]}: {values[a, b]:.4f} ± {result['dispersion_se'][a, b]:.4f}, halves "
                     f"{values[a, a]:.4f} and {values[b, b]:.4f}" for a, b in crossed)
    base, deep, wide = (result[f"{g}/accuracy"] for g in groups)
    return [
        case.judge("each two architectures differ on examples more than two halves of either: dispersion",
                   "larger dispersion; 50 networks each", ours, all(values[a, b] > max(values[a, a], values[b, b]) for a, b in crossed)),
        case.judge("both larger networks are more accurate than ResNet-50",
                   "76.97 %; 78.00 ± 0.01 and 77.97 ± 0.01 %, these two t(99) = 2.0, p = 0.047",
                   f"{sem(base)}; {sem(deep)} and {sem(wide)}, these two {tested(result)}",
                   min(np.mean(deep), np.mean(wide)) > np.mean(base))]
