using Akka.Actor;
using Akka.Event;
using NE.Actors.RunDirectory;

namespace NE.Actors.Fleet.Copies;

/// <summary>
/// Lets a cell's run live on this node's own disk: brings it here as the coordinator has it before anybody works on it, offers every commit to the coordinator, and the
/// last state when the work has ended. Tells its parent <see cref="Ready"/> and <see cref="Complete"/>. Its folder goes when this actor does.
/// </summary>
internal sealed class RunCopier : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    /// <summary>To bring the run here, before another node is left to try.</summary>
    private const int Attempts = 5;

    private readonly RunPaths run;
    private readonly string folder;
    private readonly long epoch;
    private readonly IActorRef coordinator;
    private readonly ILoggingAdapter log = Context.GetLogger();
    private PieceHashes hashes = new();
    private RunSnapshot? offered;
    private long offers;
    private DateTime seen;
    private int failures;
    private bool isReady;
    private bool isBusy;
    private bool hasEnded;

    /// <summary>What is offered is the run at its end.</summary>
    private bool isLast;
    private string? said;

    /// <param name="cell">Name of the run.</param>
    /// <param name="folder">Of this placement alone.</param>
    /// <param name="epoch">Of the placement.</param>
    /// <param name="coordinator">Wherever it is.</param>
    /// <param name="repeat">Before a question is asked again whose answer may have been lost.</param>
    public RunCopier(string cell, string folder, long epoch, IActorRef coordinator, TimeSpan repeat)
    {
        (this.run, this.folder, this.epoch, this.coordinator) = (RunPaths.Of(RunsIn(folder), cell), folder, epoch, coordinator);
        Directory.CreateDirectory(this.run.RunsFolder);
        this.Receive<Tick>(_ =>
        {
            if (this.isReady)
            {
                this.LookAtRun();
            }
        });
        this.Receive<Repeat>(_ => this.Ask());
        this.Receive<CopyOffered>(copy =>
        {
            if (!this.isReady && !this.isBusy)
            {
                this.Fetch(copy.Manifest);
            }
        });
        this.Receive<NothingCopied>(_ => this.Begin());
        this.Receive<Fetched>(fetched => this.Take(fetched));
        this.Receive<WorkEnded>(_ =>
        {
            this.hasEnded = true;
            this.LookAtRun();
        });
        this.Receive<Snapped>(this.Take);
        this.Receive<PieceWanted>(wanted => this.Sender.Tell(PieceSent.Of(wanted, this.offered)));
        this.Receive<CopyTaken>(this.Take);
        this.Receive<CopyRefused>(this.Take);
        this.Timers!.StartPeriodicTimer("look", new Tick(), Look);
        this.Timers.StartPeriodicTimer("repeat", new Repeat(), TimeSpan.Zero, repeat);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Folder of the run's directory, within that of the placement.</summary>
    public static string RunsIn(string folder) => Path.Combine(folder, "runs");

    protected override void PostStop()
    {
        try
        {
            RunSnapshot.Delete(this.folder);
        }
        catch (Exception inUse) when (inUse is IOException or UnauthorizedAccessException)
        {
            // Its process is only just ending. The next node finds it.
        }
    }

    /// <summary>Says again what may have been lost.</summary>
    private void Ask()
    {
        if (!this.isReady && !this.isBusy)
        {
            this.coordinator.Tell(new CopyWanted(this.run.Name, this.epoch));
        }
        else if (this.offered is { } waiting)
        {
            this.coordinator.Tell(new CopyOffered(this.run.Name, this.epoch, this.offers, waiting.Manifest));
        }
    }

    private void Fetch(CopyManifest manifest)
    {
        this.isBusy = true;
        var (name, asked) = (this.run.Name, this.coordinator);
        ReceivedCopy.Receive(
            this.run, manifest, Path.Combine(this.folder, "received"), new PieceHashes(), (file, piece) => PieceWanted.From(asked, name, this.epoch, file, piece))
            .PipeTo(this.Self, success: copy => new Fetched(copy, null), failure: problem => new Fetched(null, problem));
    }

    private void Take(Fetched fetched)
    {
        this.isBusy = false;
        try
        {
            (fetched.Copy ?? throw new IOException(fetched.Problem!.GetBaseException().Message, fetched.Problem)).Apply();
            this.log.Info("The run of cell {Cell} is here: {Bytes} bytes crossed", this.run.Name, fetched.Copy.Received);
            this.Begin();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or RunFolderException)
        {
            this.Say($"its run cannot be brought here: {problem.Message}");
            if (++this.failures == Attempts)
            {
                Context.Stop(this.Self);
            }
        }
    }

    private void Begin()
    {
        if (!this.isReady)
        {
            this.isReady = true;
            this.seen = this.Newest();
            Context.Parent.Tell(new Ready(this.run.Name, this.epoch));
        }
    }

    /// <summary>Whether there is a commit that was not offered.</summary>
    private void LookAtRun()
    {
        if (this.isBusy || this.offered is not null || (!this.hasEnded && this.Newest() <= this.seen))
        {
            return;
        }
        this.isBusy = true;
        this.seen = this.Newest();
        var atEnd = this.hasEnded;
        Task.Run(() => RunSnapshot.Take(this.run, Path.Combine(this.folder, "offered"), this.hashes))
            .PipeTo(this.Self, success: taken => new Snapped(taken, atEnd, null), failure: problem => new Snapped(null, atEnd, problem));
    }

    private void Take(Snapped snapped)
    {
        this.isBusy = false;
        if (snapped.Problem is { } problem)
        {
            // A later commit has deleted what this one needs, or is just being written: what is there in a moment is as good.
            this.seen = DateTime.MinValue;
            var reason = problem.GetBaseException().Message;
            if (snapped.IsLast)
            {
                // Nobody writes it any more.
                this.Say($"its run cannot be copied: {reason}");
            }
            else
            {
                this.log.Debug("The run of cell {Cell} cannot be copied yet: {Reason}", this.run.Name, reason);
            }
        }
        else if (snapped.Copy is { } copy)
        {
            (this.offered, this.isLast) = (copy, snapped.IsLast);
            this.offers++;
            this.Ask();
        }
        else if (snapped.IsLast)
        {
            // It ended before its first commit.
            Context.Parent.Tell(new Complete(this.run.Name, this.epoch));
        }
    }

    private void Take(CopyTaken taken)
    {
        if (this.offered is not { } copy || taken.Number != this.offers)
        {
            return;
        }
        this.log.Info("Cell {Cell} is copied as of step {Step}: {Crossed} of {Bytes} bytes crossed", this.run.Name, copy.Manifest.Step, taken.Bytes, copy.Manifest.Bytes);
        copy.Dispose();
        this.offered = null;
        this.said = null;
        if (this.isLast)
        {
            Context.Parent.Tell(new Complete(this.run.Name, this.epoch));
        }
        else
        {
            this.LookAtRun();
        }
    }

    /// <summary>It may have been for what was offered, so that is made anew.</summary>
    private void Take(CopyRefused refused)
    {
        this.Say($"its run could not be copied: {refused.Reason}");
        this.offered?.Dispose();
        (this.offered, this.hashes, this.seen) = (null, new PieceHashes(), DateTime.MinValue);
    }

    private void Say(string what)
    {
        if (what != this.said)
        {
            this.said = what;
            this.log.Warning("Cell {Cell}: {What:l}. It is tried again", this.run.Name, what);
        }
    }

    /// <summary>A commit writes into both.</summary>
    private DateTime Newest() => new[] { this.run.Blobs, this.run.RunInfo }.Max(File.GetLastWriteTimeUtc);

    /// <summary>To the parent: somebody may work on it.</summary>
    internal sealed record Ready(string Cell, long Epoch);

    /// <summary>To it: nobody works on it any more.</summary>
    internal sealed record WorkEnded;

    /// <summary>To the parent: the coordinator has all of it.</summary>
    internal sealed record Complete(string Cell, long Epoch);

    private sealed record Tick;

    private sealed record Repeat;

    private sealed record Fetched(ReceivedCopy? Copy, Exception? Problem);

    private sealed record Snapped(RunSnapshot? Copy, bool IsLast, Exception? Problem);
}
