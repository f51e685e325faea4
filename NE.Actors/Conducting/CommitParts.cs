using NE.Actors.Cast;
using NE.Actors.Checkpoints;
using NE.Actors.Environments;
using NE.Actors.Telemetry;
using NE.Model.Runs;

namespace NE.Actors.Conducting;

/// <summary>Collects the copies that make up a commit; the run stands still until the last one is here.</summary>
internal sealed class CommitParts(int environments, bool scheduled)
{
    private readonly byte[]?[] simulators = new byte[]?[environments];
    private LearnerCaptured? learner;
    private FilesMarked? files;

    public bool Complete => this.learner is not null && this.files is not null && this.simulators.All(state => state is not null);

    public void Add(EnvironmentCaptured captured) => this.simulators[captured.Environment] = captured.State;

    public void Add(LearnerCaptured captured) => this.learner = captured;

    public void Add(FilesMarked marked) => this.files = marked;

    /// <summary>Freezes everything. The book's history since the last commit goes with it.</summary>
    public (FrozenState State, IReadOnlyList<Model.History.RunEvent> Events) Freeze(RunBook book, Replay.ReplayCapture replay)
    {
        var (events, best) = book.TakeForCommit();
        var components = new Dictionary<string, ReadOnlyMemory<byte>>(LearnerComponents.Of(this.learner!.State, LedgerModule.toBytes(book.Ledger)))
        {
            ["environments"] = StateBundle.Pack(this.simulators!),
            ["evaluations"] = StateBundle.Pack([.. book.Evaluating.Select(pending => pending.Policy.ToBytes())]),
            ["policy"] = this.learner.Policy,
        };
        var position = book.Position;
        var state = new FrozenState(
            position.Steps, position.GradientSteps, position.Round, scheduled, components, replay, this.files!.Lengths, best, book.Ledger.NextOrdinal);
        return (state, events);
    }
}
