using Akka.Actor;
using Akka.Event;
using NE.Actors.Environments;
using NE.Actors.Replay;
using NE.Model.Replay;
using NE.Model.Runs;

namespace NE.Actors.Cast;

/// <summary>To the replay actor: append a round's transitions in (step, environment) order.</summary>
/// <param name="Rows">Whose they are; comes back with the answer.</param>
/// <param name="Blocks">One block per environment, in environment order. They are the sender's again with the answer.</param>
/// <param name="ReleaseBefore">No reader holds rows below this one any more.</param>
public sealed record AppendRound(Rows Rows, TransitionBlock[] Blocks, long ReleaseBefore);

/// <summary>The rows are in the memory; those below <paramref name="Head"/> may be sampled.</summary>
public sealed record RoundAppended(Rows Rows, long Head);

/// <summary>To the run: something could not be written now; nothing is lost and the attempt is repeated.</summary>
public sealed record StorageRetrying(string Reason, int Attempt);

/// <summary>
/// The only writer of the replay memory. Samples are taken from the memory directly by the learner, within the window that it was handed.
/// While the disk does not take rows they wait here in their order: a free schedule sends the rounds of several environments.
/// </summary>
public sealed class ReplayActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(2);

    private readonly SegmentStore store;
    private readonly Queue<(AppendRound Append, IActorRef ReplyTo)> waiting = [];
    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly IRowLinker linker;
    private float[] rows = [];
    /// <summary>Floats of <see cref="rows"/> that are to be stored next; none before the blocks were put together.</summary>
    private int ready;
    private int attempts;

    /// <param name="linker">Of the rows that are stored from now on.</param>
    public ReplayActor(SegmentStore store, IRowLinker linker)
    {
        (this.store, this.linker) = (store, linker);
        this.Receive<AppendRound>(append =>
        {
            this.waiting.Enqueue((append, this.Sender));
            if (!this.Timers.IsTimerActive(nameof(Retry)))
            {
                this.AppendAll();
            }
        });
        this.Receive<Retry>(_ => this.AppendAll());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private void AppendAll()
    {
        while (this.waiting.TryPeek(out var next))
        {
            try
            {
                this.store.ReleaseBefore(next.Append.ReleaseBefore);
                // A row is linked once, however often it has to be written.
                if (this.ready == 0)
                {
                    this.ready = this.Interleave(next.Append.Blocks);
                }
                var head = this.store.Append(this.rows.AsSpan(0, this.ready));
                (this.attempts, this.ready) = (0, 0);
                this.waiting.Dequeue();
                next.ReplyTo.Tell(new RoundAppended(next.Append.Rows, head));
            }
            catch (IOException error)
            {
                this.attempts++;
                this.log.Warning("Transitions could not be written (attempt {Attempt}): {Reason}", this.attempts, error.Message);
                next.ReplyTo.Tell(new StorageRetrying(error.Message, this.attempts));
                this.Timers.StartSingleTimer(nameof(Retry), new Retry(), RetryPause);
                return;
            }
        }
    }

    /// <summary>All blocks' rows in (step, environment) order, linked.</summary>
    /// <returns>Floats of them.</returns>
    private int Interleave(TransitionBlock[] blocks)
    {
        var width = this.store.RowFloats;
        var length = blocks.Sum(block => block.Count) * width;
        if (this.rows.Length < length)
        {
            this.rows = new float[length];
        }
        var number = this.store.Head;
        var steps = blocks.Max(block => block.Count);
        var at = 0;
        for (var step = 0; step < steps; step++)
        {
            foreach (var block in blocks)
            {
                if (step < block.Count)
                {
                    var row = this.rows.AsSpan(at, width);
                    block.Row(step).CopyTo(row);
                    this.linker.Link(row, number++);
                    at += width;
                }
            }
        }
        return length;
    }

    private sealed record Retry;
}
