"""What the frames of a capture make: one reading with its quality, and what it means for an order."""

from edge.model.order import BeltOrder
from edge.model.topology import Scale, ScaleKind, WeighPolicy
from edge.model.units import US_PER_MS, US_PER_S, Grams
from edge.model.verdict import Reason
from edge.model.weight import SampleState, WeightQuality, WeightReading, WeightSample

TRIM = 8
"""One in eight readings is dropped at each end before the mean."""
JITTER = 5
"""A frame may come a fifth of an update period early."""
TELLING = frozenset({SampleState.OK, SampleState.MOTION})


def no_reading(quality: WeightQuality, spread_g: int = 0, samples: int = 0) -> WeightReading:
    return WeightReading(grams=Grams(0), quality=quality, spread_g=Grams(spread_g), samples=samples)


def independent(samples: tuple[WeightSample, ...], rate_hz: int) -> list[WeightSample]:
    """Equal readings within one update period of the scale count once (domain.md section 6).

    Arrivals jitter by milliseconds (a UART's FIFO, the scheduler): up to a fifth of a period early still
    counts as the next update, and the updates' grid goes on from where it stood, so that no more are
    counted in the long run than the scale can make.
    """
    period_us = US_PER_S // rate_hz
    early_us = period_us // JITTER
    kept: list[WeightSample] = []
    due_us = 0
    for sample in samples:
        if not kept or sample.grams != kept[-1].grams:
            due_us = sample.at_us
        elif sample.at_us < due_us - early_us:
            continue
        kept.append(sample)
        due_us = max(due_us, sample.at_us - early_us) + period_us
    return kept


def reading(scale: Scale, samples: tuple[WeightSample, ...], *, whole: bool) -> WeightReading:
    """Trimmed mean of the independent readings, rounded to the nearest gram, with spread and count.

    The last reading is no outlier that may be dropped: nobody knows whether those behind it would have
    agreed with it (another body came onto the scale, or an indicator that hung shows the load at last).
    """
    if not whole:
        return no_reading(WeightQuality.STALE)
    if any(sample.state is SampleState.OVER for sample in samples):
        return no_reading(WeightQuality.OVER)
    telling = tuple(sample for sample in samples if sample.state in TELLING)
    if samples and all(sample.state is SampleState.NO_WEIGHT for sample in samples):
        return no_reading(WeightQuality.NO_WEIGHT)
    if scale.kind is ScaleKind.STATIC and telling:
        telling = stable_run(scale, samples)
        if not telling:
            return no_reading(WeightQuality.UNSTABLE)
    counted = independent(telling, scale.rate_hz)
    if len(counted) < scale.min_samples:
        under = any(sample.state is SampleState.UNDER for sample in samples)
        return no_reading(WeightQuality.UNDER if under else WeightQuality.TOO_FEW, samples=len(counted))
    grams = sorted(sample.grams for sample in counted)
    cut = len(grams) // TRIM
    kept = grams[cut : len(grams) - cut]
    spread_g = kept[-1] - kept[0]
    mean = (2 * sum(kept) + len(kept)) // (2 * len(kept))
    if spread_g > scale.spread_g or abs(counted[-1].grams - mean) > scale.spread_g:
        return no_reading(WeightQuality.SPREAD, spread_g, len(kept))
    if mean > scale.capacity_g:
        return no_reading(WeightQuality.OVER, spread_g, len(kept))
    if mean < scale.min_weight_g:
        return no_reading(WeightQuality.UNDER, spread_g, len(kept))
    return WeightReading(
        grams=Grams(mean), quality=WeightQuality.GOOD, spread_g=Grams(spread_g), samples=len(kept)
    )


def stable_run(scale: Scale, samples: tuple[WeightSample, ...]) -> tuple[WeightSample, ...]:
    """Static: the last frames that the device calls stable, within ± ``spread_g`` of the last one;
    nothing unless they last for ``stable_ms``."""
    run: list[WeightSample] = []
    for sample in reversed(samples):
        if sample.state is not SampleState.OK or abs(sample.grams - samples[-1].grams) > scale.spread_g:
            break
        run.append(sample)
    if not run or run[0].at_us - run[-1].at_us < scale.stable_ms * US_PER_MS:
        return ()
    return tuple(reversed(run))


def weight_fault(policy: WeighPolicy, weight: WeightReading, order: BeltOrder) -> Reason:
    """Overweight, invalid, or other than expected; an order without an expected weight has no such check.

    The order's own tolerance counts where it has one, else the larger of the line's two.
    """
    if weight.quality is WeightQuality.OVER:
        return Reason.OVERWEIGHT
    if weight.quality is not WeightQuality.GOOD:
        return Reason.WEIGHT_INVALID
    if weight.grams > policy.max_weight_g:
        return Reason.OVERWEIGHT
    expected = order.expected_weight_g
    if expected is None:
        return Reason.OK
    tolerance = order.tolerance_g or max(policy.tolerance_g, expected * policy.tolerance_permille // 1_000)
    return Reason.OK if abs(weight.grams - expected) <= tolerance else Reason.WEIGHT_MISMATCH
