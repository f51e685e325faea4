using NE.Model.Replay;

namespace NE.Actors.Telemetry;

/// <summary>
/// Looks whether experience review adapts, as it is meant to: a probability that stays at one value is a floor or a ceiling that decides alone.
/// </summary>
/// <param name="from">Gradient step from which the signal's change counts; null where no review adapts.</param>
internal sealed class ReviewWatch(long? from)
{
    /// <summary>Rows of metrics after which a probability that did not move is worth a word.</summary>
    public const int Rows = 100;

    private double first = double.NaN;
    private int same;

    /// <summary>Of a run's settings.</summary>
    public static ReviewWatch Of(Settings settings) => new(
        settings.Run.Method.Has(NE.Model.Technique.Ne) && (settings.Ne.Review == ReviewMode.Slope || settings.Ne.Review == ReviewMode.Literal)
            ? Math.Max(settings.Ne.ReviewFirstStep.Value, settings.Ne.ReviewWindow.Value)
            : null);

    /// <summary>Takes a row's probability. True once: when so many rows since the guard had the same.</summary>
    public bool HasNeverMoved(long gradientStep, double probability)
    {
        if (gradientStep <= from || from is null || this.same < 0)
        {
            return false;
        }
        if (this.same > 0 && probability != this.first)
        {
            this.same = -1;
            return false;
        }
        this.first = probability;
        return ++this.same == Rows;
    }
}
