using NE.Model;

namespace NE.Shell.Torture;

/// <summary>How a process is stopped at a moment that nobody chose.</summary>
internal enum Stop
{
    /// <summary>SIGKILL.</summary>
    Kill,

    /// <summary>SIGTERM: it may commit first.</summary>
    Terminate,

    /// <summary>SIGSTOP for a while, SIGCONT, then SIGKILL.</summary>
    Freeze,

    /// <summary>SIGKILL of a process that holds environments of the run, which goes on itself.</summary>
    Worker,
}

/// <summary>What happens to a file of a run that is not at work.</summary>
internal enum Harm
{
    /// <summary>One bit is inverted.</summary>
    Flip,

    /// <summary>The end is cut off.</summary>
    Truncate,

    /// <summary>Bytes become 0.</summary>
    Zero,

    /// <summary>The file is gone.</summary>
    Delete,

    /// <summary>It changes its content with another file of the run.</summary>
    Swap,
}

/// <summary>Something that is done to a run. Which one follows from a seed and a number, so it can be repeated.</summary>
internal abstract record Attack
{
    private Attack() { }

    /// <summary>The kinds of attacks, as `--only` names them.</summary>
    public static readonly IReadOnlyList<string> Kinds = ["kill", "place", "storage", "damage"];

    /// <summary>Places of a commit and of a recovery at which the process can be made to die, and writes, syncs and renames at which it can be made to fail.</summary>
    private static readonly string[] Points =
    [
        "commit.begins", "commit.segments", "commit.tables", "commit.blobs", "commit.manifest", "commit.snapshot", "sweep.blobs", "sweep.segments",
        "recovery.journal", "recovery.begins", "recovery.checkpoint", "recovery.replay",
    ];

    private static readonly string[] Writes = ["file.write", "table.write", "segment.write"];

    private static readonly string[] Calls = ["file.sync", "file.rename", "folder.sync", "table.sync", "segment.sync", "segment.reserve", "journal.open"];

    public abstract string Kind { get; }

    /// <summary>Stopped at moments that are fractions of a run's usual duration, each time after a start or a resume.</summary>
    public sealed record Stops(IReadOnlyList<(double Moment, Stop How)> All) : Attack
    {
        public override string Kind => "kill";

        public override string ToString() => string.Join(", ", this.All.Select(stop => $"{stop.How.ToString().ToLowerInvariant()} at {stop.Moment:0.00}"));
    }

    /// <summary>A fault at a named place: the process dies there, or a call fails.</summary>
    /// <param name="Plan">As <see cref="Actors.Storage.Faults.Arm"/> takes it.</param>
    /// <param name="Before">How long after its first commit the run is killed before, in halves of a second; the fault is then in the resume. Null: it is in the start.</param>
    /// <param name="IsKill">Whether the fault is a death.</param>
    public sealed record Place(string Plan, double? Before, bool IsKill) : Attack
    {
        public override string Kind => this.IsKill ? "place" : "storage";

        public override string ToString() => this.Plan + (this.Before is { } moment ? " in a resume" : "");
    }

    /// <summary>Damage to a file after a kill.</summary>
    /// <param name="Moment">How long after the second commit the kill is, in halves of a second.</param>
    /// <param name="How">What happens to the file.</param>
    /// <param name="File">Which of the run's files, as a fraction of their sorted list.</param>
    /// <param name="At">Where in it, as a fraction of its length.</param>
    public sealed record Damage(double Moment, Harm How, double File, double At) : Attack
    {
        public override string Kind => "damage";

        public override string ToString() => $"{this.How.ToString().ToLowerInvariant()} a file";
    }

    /// <summary>The attack of a number.</summary>
    /// <param name="seed">What all follow from.</param>
    /// <param name="number">Which one.</param>
    /// <param name="kinds">Of attacks, which take turns.</param>
    /// <param name="scenarios">
    /// Runs that can be attacked. One that cannot be is drawn again, so where another machine can attack more runs, the other numbers stay what they are.
    /// </param>
    public static (Scenario Scenario, Attack Attack) Of(long seed, int number, IReadOnlyList<string> kinds, IReadOnlyCollection<Scenario> scenarios)
    {
        Draws draws = Draws.At(seed, Purpose.Statistics, number, 0, 0), places = Draws.At(seed, Purpose.Statistics, number, 1, 0);
        Scenario scenario;

        do
        {
            scenario = Scenario.All[Next(places, Scenario.All.Count)];
        }
        while (!scenarios.Contains(scenario));

        return (scenario, Draw(kinds[number % kinds.Count], draws, scenario));
    }

    private static int Next(Draws draws, int bound) => (int)draws.NextInt(bound);

    private static Attack Draw(string kind, Draws draws, Scenario scenario)
    {
        switch (kind)
        {
            case "kill":
                return new Stops([.. Enumerable.Range(0, 2 + Next(draws, 4)).Select(_ => (
                    0.05 + (0.75 * draws.NextDouble()), Next(draws, scenario.HasWorkers ? 8 : 4) switch { 0 => Stop.Terminate, 1 => Stop.Freeze, < 4 => Stop.Kill, _ => Stop.Worker }))]);
            case "place":
                string point = Points[Next(draws, Points.Length)];
                bool recovery = point.StartsWith("recovery", StringComparison.Ordinal);
                return new Place($"kill@{point}#{1 + Next(draws, recovery ? 1 : 5)}", recovery || Next(draws, 3) == 0 ? draws.NextDouble() : null, IsKill: true);
            case "storage":
                bool write = Next(draws, 2) == 0;
                string place = write ? Writes[Next(draws, Writes.Length)] : Calls[Next(draws, Calls.Length)];
                string[] faults = write ? ["error", "full", "short", "torn", "kill"] : ["error", "full", "kill"];
                return new Place(
                    $"{faults[Next(draws, faults.Length)]}@{place}#{1 + Next(draws, place == "segment.write" ? 300 : 12)}+{1 + Next(draws, 3)}",
                    Next(draws, 3) == 0 ? draws.NextDouble() : null,
                    IsKill: false);
            default:
                Harm[] harms = Enum.GetValues<Harm>();
                return new Damage(draws.NextDouble(), harms[Next(draws, harms.Length)], draws.NextDouble(), draws.NextDouble());
        }
    }
}
