"""Claims of Gilboa & Gur-Ari 2019, Wider Networks Learn Better Features."""
import numpy as np
from scipy import stats

from stages.claims import Bench

# Thresholds, each with its reason.
SAME_MNIST = 0.005       # "both 99.0 %": half a point is the spread of a seed
AT_LEAST_MNIST = 0.985   # half a point below the paper's
CLUSTERED = 0.95         # share of neighbours of the own class: "classes cluster well in both cases"
NOT_SPARSE = 0.9         # share of exact zeros: "activation vectors are not sparse"
NEAR_TRANSLATED = 0.03   # of 96.0 and 96.8 %
SHIFT_GAP = 0.1          # R², a difference that a reader sees in the annuli
SAME_CIFAR = 0.03        # the paper's own nets differ by 1 point
FLAT = 0.03              # "essentially independent of width"
RISES = 0.8              # Spearman's rho
GAIN = 0.05              # widest minus narrowest
AT_INPUT_WIDTH = 0.02    # "the performance at width 784 is also that of a linear classifier"
LINEAR = 0.375           # linear classifier on CIFAR-100's pixels
NEAR_LINEAR = 0.03
PAIRS = ("gilboa_fig1", "gilboa_fig2", "gilboa_fig3")  # compare a narrow with a wide net
UNCLUSTERED = 0.5        # untrained purity over trained purity


def judge(load, scale: str, width: float) -> list:
    """Every claim of the paper. load(study, measure, variant, suffix) -> result."""
    structure = lambda study, variant="base": load(study, "structure", variant, "json")
    transfer = lambda study: load("gilboa_transfer", "transfer", study)
    mnist, cifar = structure("gilboa_mnist"), structure("gilboa_cifar")
    return [
        *fig1(mnist, scale, width), *fig2(structure("gilboa_translated"), scale, width), *fig3(cifar, scale, width),
        *fig4_left(transfer("gilboa_shift"), scale, width), *fig4_right(transfer("gilboa_coarse"), scale, width),
        *fig5(structure("gilboa_cifar", "untrained"), cifar, scale, width), *fig6(structure("gilboa_pixels"), mnist, scale, width)]


def ends(result):
    """(narrow, wide) entries of a structure result."""
    entries = sorted(result.values(), key=lambda entry: entry["width"])
    return entries[0], entries[-1]


def bench(figure, result, scale, width):
    narrow, wide = ends(result)
    widths = f"n = {narrow['width']:g} and {wide['width']:g}" if narrow is not wide else f"n = {wide['width']:g}"
    lacks = "the scale's caps leave one width" if figure in PAIRS and narrow["width"] == wide["width"] else ""
    return narrow, wide, Bench(figure, scale, width, f"1 network each, {widths}", lacks=lacks)


def percent(*values, spread=None):
    text = " and ".join(f"{100 * value:.1f}" for value in values) + " %"
    return text if spread is None else f"{text[:-2]} ± {100 * spread:.1f} %"


def gap_claim(case, narrow, wide):
    """Single neurons lose more than the atlas in the wide net: confidence of an independent classifier, atlas minus neurons."""
    gaps = [entry["icons_confidence"] - entry["neurons_confidence"] for entry in (narrow, wide)]
    return case.judge("a judge's confidence in atlas icons minus that in single neurons' icons is larger in the wide net",
                      "neurons are interpretable in the narrow net only", f"narrow {gaps[0]:+.3f}, wide {gaps[1]:+.3f}", gaps[1] > gaps[0])


def fig1(result, scale, width):
    narrow, wide, case = bench("gilboa_fig1", result, scale, width)
    low, high = narrow["test_accuracy"][0], wide["test_accuracy"][0]
    purity = [narrow["purity"], wide["purity"]]
    clusters = [narrow["clusters_mean"], wide["clusters_mean"]]
    return [
        case.judge("test accuracies differ by at most 0.5 points and reach 98.5 %", "99.0 and 99.0 %", percent(low, high),
                   abs(high - low) <= SAME_MNIST and min(low, high) >= AT_LEAST_MNIST, against_number=True),
        case.judge("classes cluster in both maps: 15-neighbour purity at least 0.95", "clustered well in both",
                   f"{purity[0]:.3f} and {purity[1]:.3f}", min(purity) >= CLUSTERED),
        case.judge("classes fall into more sub-clusters in the wide net", "only the wide net shows sub-clusters",
                   f"{clusters[0]:.2f} and {clusters[1]:.2f} a class", clusters[1] > clusters[0]),
        gap_claim(case, narrow, wide),
        case.judge("the wide net's activations are not sparse: fewer than 90 % exact zeros", "not sparse",
                   percent(wide["zero_fraction"]), wide["zero_fraction"] < NOT_SPARSE)]


def fig2(result, scale, width):
    narrow, wide, case = bench("gilboa_fig2", result, scale, width)
    low, high = narrow["test_accuracy"][0], wide["test_accuracy"][0]
    fit, ring = ([entry[name] for entry in (narrow, wide)] for name in ("shift_r2_mean", "annulus_mean"))
    return [
        case.judge("test accuracies lie within 3 points of the paper's", "96.0 and 96.8 %", percent(low, high),
                   abs(low - 0.960) <= NEAR_TRANSLATED and abs(high - 0.968) <= NEAR_TRANSLATED, against_number=True),
        case.judge("the shift is read from the wide state better than from the narrow one: within-class R² larger by 0.1",
                   "clearly encoded in the wide net only", f"R² {fit[0]:.3f} and {fit[1]:.3f}", fit[1] - fit[0] > SHIFT_GAP),
        case.judge("the angle in a class' annulus follows the shift more closely in the wide net", "annuli in the wide net only",
                   f"circular correlation {ring[0]:.3f} and {ring[1]:.3f}", ring[1] > ring[0]),
        gap_claim(case, narrow, wide)]


def fig3(result, scale, width):
    narrow, wide, case = bench("gilboa_fig3", result, scale, width)
    low, high = narrow["test_accuracy"][0], wide["test_accuracy"][0]
    colour, mirror = ([entry[name] for entry in (narrow, wide)] for name in ("colour_r2", "mirror_accuracy"))
    return [
        case.judge("test accuracies differ by at most 3 points", "83 and 82 %", percent(low, high), abs(high - low) <= SAME_CIFAR,
                   reason=f"trained for {wide['epochs']:.3g} epochs, the paper for 100"),
        case.judge("a car's colour is read better from the wide state", "colours separate in the wide net only",
                   f"R² {colour[0]:.3f} and {colour[1]:.3f}", colour[1] > colour[0]),
        case.judge("a horse is told from its mirror image better in the wide state", "left and right separate in the wide net only",
                   percent(*mirror), mirror[1] > mirror[0]),
        gap_claim(case, narrow, wide)]


def fig4_left(result, scale, width):
    case = Bench("gilboa_fig4", scale, width, f"{result['tuned'].shape[1]} seeds, {len(result['width'])} widths", "translated MNIST")
    few = "" if len(result["width"]) >= 3 else "the scale keeps fewer than three widths"
    order = np.argsort(result["width"])
    log, tuned, linear = np.log2(result["width"][order]), result["tuned"][order].mean(1), result["linear"].mean()
    at_input = np.interp(np.log2(float(result["inputs"])), log, tuned)
    slope = lambda from_, to: (np.interp(to, log, tuned) - np.interp(from_, log, tuned)) / max(to - from_, 1e-9)
    below, above = slope(log[0], np.log2(float(result["inputs"]))), slope(np.log2(float(result["inputs"])), log[-1])
    bridged = "" if log[0] < np.log2(float(result["inputs"])) < log[-1] else "no widths on both sides of the input dimension"
    return [*both_curves(case, result, few),
            case.judge("new task at width 784 within 2 points of a linear classifier on pixels", "equal", f"{percent(at_input)} "
                       f"(interpolated) and {percent(linear)}", abs(at_input - linear) <= AT_INPUT_WIDTH, against_number=True,
                       lacks=few or bridged),
            case.judge("the new task gains more per doubling of width below 784 than above", "rapid below, gradual above",
                       f"{100 * below:+.1f} and {100 * above:+.1f} points a doubling", below > above, lacks=few or bridged)]


def fig4_right(result, scale, width):
    case = Bench("gilboa_fig4", scale, width, f"{result['tuned'].shape[1]} seeds, {len(result['width'])} widths", "CIFAR-100, three coarse classes")
    few = "" if len(result["width"]) >= 3 else "the scale keeps fewer than three widths"
    linear, widest = result["linear"], result["tuned"][np.argmax(result["width"])]
    return [*both_curves(case, result, few),
            case.judge("a linear classifier on pixels lies within 3 points of the paper's", "37.5 %", percent(linear.mean(), spread=linear.std()),
                       abs(linear.mean() - LINEAR) <= NEAR_LINEAR),
            case.judge("the widest net's features beat the paper's linear classifier", "above 37.5 %",
                       percent(widest.mean(), spread=widest.std()), widest.mean() > LINEAR, against_number=True)]


def both_curves(case, result, few):
    """Original task flat, new task rising."""
    order = np.argsort(result["width"])
    widths, original, tuned = result["width"][order], result["original"][order], result["tuned"][order]
    means = original.mean(1)
    span = means.max() - means.min()
    trend = stats.linregress(np.repeat(np.log2(widths), original.shape[1]), original.ravel()) if len(set(widths)) > 1 else None
    reach = stats.t.ppf(0.975, original.size - 2) * trend.stderr if trend and original.size > 2 else np.inf
    rho = stats.spearmanr(widths, tuned.mean(1)).statistic if len(set(widths)) > 1 else np.nan
    gain = tuned[-1].mean() - tuned[0].mean()
    return [
        case.judge("original task: mean accuracies span at most 3 points over the widths", "independent of width",
                   f"{100 * span:.1f} points, slope {100 * trend.slope:+.2f} ± {100 * reach:.2f} a doubling" if trend else "one width",
                   span <= FLAT, lacks=few),
        case.judge("new task: accuracy rises with width (Spearman over 0.8)", "rises dramatically", f"ρ = {rho:.2f}", rho > RISES, lacks=few),
        case.judge("new task: widest minus narrowest over 5 points", "rises dramatically",
                   f"{100 * gain:+.1f} points ({percent(tuned[0].mean(), spread=tuned[0].std())} to "
                   f"{percent(tuned[-1].mean(), spread=tuned[-1].std())})", gain > GAIN, lacks=few)]


def fig5(untrained, trained, scale, width):
    _, entry, case = bench("gilboa_fig5", untrained, scale, width)
    _, wide = ends(trained)
    return [
        case.judge("purity of the untrained map is below half of the trained one's (fig. 3, wide)", "no clustering",
                   f"{entry['purity']:.3f} and {wide['purity']:.3f}", entry["purity"] < UNCLUSTERED * wide["purity"]),
        case.judge("neighbouring icons have more similar mean colours than random pairs", "similar colours are adjacent",
                   f"distance {entry['neighbour_colour_distance']:.3f} and {entry['random_colour_distance']:.3f}",
                   entry["neighbour_colour_distance"] < entry["random_colour_distance"]),
        case.judge("a judge is less sure of the untrained net's icons than of the trained one's", "not interpretable",
                   f"{entry['icons_confidence']:.3f} and {wide['icons_confidence']:.3f}", entry["icons_confidence"] < wide["icons_confidence"])]


def fig6(raw, trained, scale, width):
    _, entry, case = bench("gilboa_fig6", raw, scale, width)
    narrow, wide = ends(trained)
    case = Bench("gilboa_fig6", scale, width, f"no network; trained: n = {narrow['width']:g} and {wide['width']:g}")
    return [
        case.judge("purity in pixel space is below that of the trained nets", "clusters less well separated",
                   f"{entry['purity']:.3f}, trained {narrow['purity']:.3f} and {wide['purity']:.3f}",
                   entry["purity"] < min(narrow["purity"], wide["purity"])),
        case.judge("pixel space has no more sub-clusters than the wide net", "sub-clusters not visible",
                   f"{entry['clusters_mean']:.2f} and {wide['clusters_mean']:.2f} a class", entry["clusters_mean"] <= wide["clusters_mean"]),
        case.judge("the classes' silhouette is lower in pixel space than in the trained nets", "clusters less well separated",
                   f"{entry['silhouette']:.3f}, trained {narrow['silhouette']:.3f} and {wide['silhouette']:.3f}",
                   entry["silhouette"] < min(narrow["silhouette"], wide["silhouette"]))]
