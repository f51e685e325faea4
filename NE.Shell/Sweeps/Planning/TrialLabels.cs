using System.Globalization;
using System.Text.RegularExpressions;

namespace NE.Shell.Sweeps.Planning;

/// <summary>
/// What the trials of a search are called: "trial 007", behind their arm. A sweep that is stored keeps the digits that it began with, so a trial is the
/// same however many are asked for.
/// </summary>
internal static partial class TrialLabels
{
    /// <summary>With fewer, a search of eight trials would have other names than the same one of twelve.</summary>
    private const int LeastDigits = 3;

    [GeneratedRegex(@" trial ([0-9]+)\z")]
    private static partial Regex Ending();

    /// <summary>Of a new sweep.</summary>
    /// <param name="trial">Its number, from 1.</param>
    /// <param name="trials">How many there are.</param>
    public static string Of(int trial, int trials)
    {
        int digits = Math.Max(LeastDigits, trials.ToString(CultureInfo.InvariantCulture).Length);
        return $"trial {Padded(trial.ToString(CultureInfo.InvariantCulture), digits)}";
    }

    /// <summary>The plan with the labels, and so the names, that its trials have in a stored sweep; those that come behind them have as many digits.</summary>
    /// <param name="plan">As a file says it.</param>
    /// <param name="stored">Cells of the sweep of its name.</param>
    public static SweepPlan AsStored(SweepPlan plan, IEnumerable<SweepCell> stored) =>
        Digits(stored) is { } digits && Digits(plan.Cells.Select(cell => cell.Cell)) is { } planned && planned != digits
            ? plan with { Cells = [.. plan.Cells.Select(cell => cell with { Cell = WithDigits(cell.Cell, digits) })] }
            : plan;

    private static SweepCell WithDigits(SweepCell cell, int digits)
    {
        string number = Number(cell);
        string seed = $"-s{cell.Seed.ToString(CultureInfo.InvariantCulture)}";

        // A run's name ends with its label and its seed.
        if (number.Length == 0 || !cell.Name.EndsWith(number + seed, StringComparison.Ordinal))
        {
            return cell;
        }

        return cell with
        {
            Name = cell.Name[..^(number.Length + seed.Length)] + Padded(number, digits) + seed,
            Label = cell.Label[..^number.Length] + Padded(number, digits),
        };
    }

    /// <summary>Least digits of the numbers of trials; null where there are none, or where somebody has numbered arms in another way.</summary>
    private static int? Digits(IEnumerable<SweepCell> cells)
    {
        string[] numbers = [.. cells.Select(Number).Where(number => number.Length > 0)];
        int least = numbers.Select(number => number.Length).DefaultIfEmpty().Min();
        return least > 0 && numbers.All(number => number == Padded(number, least)) ? least : null;
    }

    /// <summary>As its label has it; empty for other cells.</summary>
    private static string Number(SweepCell cell) => Ending().Match(cell.Label).Groups[1].Value;

    private static string Padded(string number, int digits) => number.TrimStart('0').PadLeft(digits, '0');
}
