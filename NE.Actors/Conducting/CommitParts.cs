using NE.Actors.Cast;
using NE.Actors.Checkpoints;
using NE.Actors.Environments;
using NE.Actors.Replay;
using NE.Actors.Telemetry;
using NE.Model.Runs;

namespace NE.Actors.Conducting;

/// <summary>Collects the copies that make up a commit; the run stands still until the last one is here.</summary>
internal sealed class CommitParts(int environments)
{
    private readonly byte[]?[] simulators = new byte[]?[environments];
    private LearnerCaptured? learner;
    private FilesMarked? files;

    public bool Complete => this.learner is not null && this.files is not null && this.simulators.All(state => state is not null);

    public void Add(EnvironmentCaptured captured) => this.simulators[captured.Environment] = captured.State;

    public void Add(LearnerCaptured captured) => this.learner = captured;

    public void Add(FilesMarked marked) => this.files = marked;

    /// <summary>Freezes everything.</summary>
    /// <param name="commitment">What the conductor says of the commit.</param>
    /// <param name="evaluating">The policies of the ledger's pending evaluations, in their order.</param>
    /// <param name="replay">The replay memory at the barrier.</param>
    /// <param name="best">The best policy, when there is a new one.</param>
    /// <param name="runId">Of run.json; null where it has none.</param>
    public FrozenState Freeze(Commitment commitment, IReadOnlyList<byte[]> evaluating, ReplayCapture replay, FrozenBest? best, string? runId)
    {
        var ledger = LedgerModule.toBytes(commitment.Ledger);
        var components = new Dictionary<string, ReadOnlyMemory<byte>>(LearnerComponents.Of(this.learner!.State, ledger))
        {
            ["environments"] = StateBundle.Pack(this.simulators!),
            ["evaluations"] = StateBundle.Pack(evaluating),
            ["policy"] = this.learner.Policy,
        };
        var position = commitment.Ledger.Position;
        return new FrozenState(
            position.Steps, position.GradientSteps, position.Round, commitment.IsScheduled, components, replay, this.files!.Marks, best,
            commitment.Ledger.NextOrdinal, runId)
        {
            KeptOrdinals = LedgerModule.keptPlaces(commitment.Ledger),
        };
    }
}
